"""Which workload belongs on which side, and why: the one decision everybody asks for.

Pure: decoded documents and objects in, values out. Reads no file, talks to no server.
"""
