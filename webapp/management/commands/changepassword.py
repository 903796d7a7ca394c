"""`manage.py changepassword`: Django's own, with its entry in the audit log."""

import getpass
from typing import Any

from django.contrib.auth.management.commands import changepassword
from django.db import transaction

from webapp.accounts.models import User
from webapp.accounts.services import SYSTEM
from webapp.accounts.signins import record_password_change


class Command(changepassword.Command):
    help = "Give a person a new password. The audit log says that it was done on the server."

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> str | None:
        said = super().handle(*args, **options)
        name = options["username"] or getpass.getuser()
        record_password_change(User.objects.get_by_natural_key(name), actor=SYSTEM)
        return said
