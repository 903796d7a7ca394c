"""Training of the encoder's adapters together with all heads. Imported by `manage.py train` only: it loads torch."""
