"""The ASGI application that `manage.py up` and any ASGI server run: the hot route, and Django on threads beside it."""

import os
from typing import cast

from a2wsgi import WSGIMiddleware
from a2wsgi.wsgi_typing import WSGIApp
from django.conf import settings
from django.core.wsgi import get_wsgi_application

from webapp.waits import limit_waits

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
limit_waits(settings.DATABASES)
django_application = get_wsgi_application()

# Needs the apps that the line above loads.
from webapp.celery import give_up_soon  # noqa: E402
from webapp.interception.ingest import Asgi, beside  # noqa: E402
from workers.settled import settle  # noqa: E402

#: Pages and the other doors of the API. Each thread keeps its connection to the database, which Django's own ASGI
#: handler, with a thread for every request, would make anew each time.
THREADS = 32

give_up_soon()
on_threads = WSGIMiddleware(cast(WSGIApp, django_application), workers=THREADS)
application = beside(cast(Asgi, on_threads))
settle()
