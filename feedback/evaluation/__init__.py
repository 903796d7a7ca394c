"""Measurement of models on labelled texts. Imported by `manage.py evaluate` and `train` only: it loads numpy."""
