"""The engine: a policy and a text in, findings and a verdict out. A plain library, without Django, Celery or torch."""
