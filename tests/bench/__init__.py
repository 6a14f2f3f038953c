"""`make bench`: the server at its TLS socket, beside the floor that Flask and gunicorn set."""
