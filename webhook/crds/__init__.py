"""The CRDs that Terway's NetworkPolicy needs, and which of them are missing."""
