"""`manage.py demo`: the demo project that `manage.py up` shows a newcomer."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from webapp.local.demo import ensure_demo
from webapp.local.home import open_home


class Command(BaseCommand):
    help = "Make the demo project unless it exists, and write its sign-ins and API key to demo.json."

    def handle(self, *args: Any, **options: Any) -> None:
        home = open_home(settings.HOME)
        demo = ensure_demo(facts_file=home.demo_file, url=settings.PUBLIC_URL)
        self.stdout.write(demo.news or f"The demo project is in place; its sign-ins are in {home.demo_file}.")
