"""HTTP over TLS: the only home of Flask and gunicorn. Serving reads no API and decides nothing."""
