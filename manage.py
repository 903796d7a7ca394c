#!/usr/bin/env python
"""Run Countersign's commands; `python manage.py help` lists them."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        # A setting is wrong: its message says which; the way there through Django helps nobody.
        sys.exit(f"Countersign: {error}")


if __name__ == "__main__":
    main()
