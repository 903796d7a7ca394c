"""The WSGI application that `manage.py up` and any WSGI server run: Django, and the hot route beside it."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
django_application = get_wsgi_application()

# Needs the apps that the line above loads.
from webapp.interception.ingest import beside  # noqa: E402

application = beside(django_application)
