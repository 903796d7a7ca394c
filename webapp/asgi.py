"""The ASGI application that `manage.py up` and any ASGI server run: the hot route, and Django on threads beside it."""

import os
from typing import cast

from a2wsgi import WSGIMiddleware
from a2wsgi.wsgi_typing import WSGIApp
from django.conf import settings
from django.core.wsgi import get_wsgi_application

from webapp.waits import limit_waits
from workers.services_file import redis_url

redis_url(os.environ)  # ends with what to set where there is none
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
limit_waits(settings.DATABASES)
django_application = get_wsgi_application()

# Needs the apps that the line above loads.
from webapp.celery import give_up_soon  # noqa: E402
from webapp.interception.ingest import Asgi, Receive, Scope, Send, beside  # noqa: E402
from workers.settled import settle  # noqa: E402

#: Pages and the other doors of the API. Each thread keeps its connection to the database, which Django's own ASGI
#: handler, with a thread for every request, would make anew each time.
THREADS = 32
#: Batches and moderations hold a thread while they wait for workers, so that many of them, with a worker that hangs,
#: take all for as long as their deadlines. A load balancer would take the host away for that, and with it the checks
#: that are answered on the event loop: probes have threads of their own, `/healthz` also apart from `/readyz`, which
#: waits for a database that hangs. So have those who ask for a check that they sent before; it waits for no worker.
HEALTH_THREADS, READY_THREADS, READ_THREADS = 1, 2, 4


def _on_threads(workers: int) -> Asgi:
    return cast(Asgi, WSGIMiddleware(cast(WSGIApp, django_application), workers=workers))


async def on_threads(scope: Scope, receive: Receive, send: Send) -> None:
    """Have Django answer on a thread of those that are for such a request."""
    path = scope["path"]
    if path in _probes:
        await _probes[path](scope, receive, send)
    elif path.startswith("/v1/checks/") and scope["method"] == "GET":
        await _reads(scope, receive, send)
    else:
        await _others(scope, receive, send)


give_up_soon()
_probes = {"/healthz": _on_threads(HEALTH_THREADS), "/readyz": _on_threads(READY_THREADS)}
_reads, _others = _on_threads(READ_THREADS), _on_threads(THREADS)
application = beside(on_threads)
settle()
