"""Training of the guard model's heads. Imported by `manage.py train` only: it loads torch and scikit-learn."""
