"""A real control plane for tests: the programs it is made of, and how it is started.

Nothing here knows hybrid-guard's own packages: the tests bring the two together.
"""
