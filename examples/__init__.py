"""Manifests true to the real ones, and the demo that plays them."""
