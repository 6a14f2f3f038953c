"""Terway's eni-config: read as Terway's Go decoders read it, judged by one module a rule.

Pure: a ConfigMap's data in, findings out. No credential's value ever leaves in a message.
"""
