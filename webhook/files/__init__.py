"""Manifests and the policy file: reading them with positions, and editing manifests in place.

The only place that opens files for the verbs. Nothing here judges what it reads.
"""
