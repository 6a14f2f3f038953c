"""What there is to say about manifests: judged by the webhook's own `evaluate`, then rendered.

`inspect` judges, `report` holds the result, `formats` and `text` render it.
"""
