"""Certificates of the webhook: issuing now, rotation beside it.

Runs as another identity than the server: what may write a Secret never listens on a port.
"""
