"""A live cluster, through the official client: read-only, with a time-out on every call."""
