"""The Celery app of the workers that screen. It knows Redis and the engine; never the database, never Django."""

from __future__ import annotations

import os

from celery import Celery

from workers.broker import celery_settings
from workers.channel import ScreenChannel, use_channel
from workers.quiet_logs import quiet_celery
from workers.reconnecting import SteadyAMQP
from workers.services_file import redis_url

use_channel(ScreenChannel)
# No fixups: with DJANGO_SETTINGS_MODULE in the environment, as under `manage.py up`, Celery would set Django up.
app = Celery("countersign-screen", amqp=SteadyAMQP, include=["workers.tasks"], fixups=set())
app.conf.update(celery_settings(redis_url(os.environ)))
app.conf.update(task_default_queue="screen.cpu")
quiet_celery()
