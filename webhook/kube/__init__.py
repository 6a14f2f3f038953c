"""A live cluster, through the official client: nothing written, a time-out on every call."""
