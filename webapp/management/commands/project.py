"""`manage.py project`: make a project on an installation of one's own."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from webapp.accounts.models import Project, User
from webapp.accounts.selectors import find_user
from webapp.local.projects import new_project


class Command(BaseCommand):
    help = "Make a project with the shipped policies, a review queue and an owner, and print the owner's password once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="short name for addresses and commands: letters, digits, hyphens")
        parser.add_argument("--name", help="name on pages and reports (default: the slug)")
        parser.add_argument("--owner", required=True, metavar="USERNAME", help="an account, or the name of a new one")

    def handle(self, *args: Any, slug: str, name: str | None, owner: str, **options: Any) -> None:
        title = name or slug
        try:
            Project(slug=slug, name=title).full_clean(exclude=["default_policy"])
            if find_user(owner) is None:
                User(username=owner).full_clean(exclude=["password"])
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from None
        project, password = new_project(slug=slug, name=title, owner=owner)
        self.stdout.write(f"Made the project {project.slug}, owned by {owner}.")
        if password:
            self.stdout.write(f"Password of {owner}: {password}\nIt is not shown again; change it after signing in.")
        self.stdout.write("Sign in and open Applications to register an application and make its API key.")
