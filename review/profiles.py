"""Read what reviewers set for themselves."""

from __future__ import annotations

from review.models import LabelSchemaVersion, Queue, ReviewerProfile
from screening.categories import MODERATION_CATEGORIES
from webapp.accounts.models import Membership, Project


def profile_of(membership: Membership) -> ReviewerProfile:
    """Return the member's profile, with the usual settings when there is none; asked once for each `membership`."""
    profile: ReviewerProfile | None = getattr(membership, "reviewer_profile", None)
    # Naming the membership makes it remember the profile.
    return profile or ReviewerProfile(membership=membership)


def missing_skills(*, queue: Queue, membership: Membership) -> list[str]:
    """Return the skills that the queue needs and the member has not."""
    if not queue.skills:
        return []
    has = profile_of(membership).skills
    return [skill for skill in queue.skills if skill not in has]


def categories_of(project: Project) -> set[str]:
    """Return the categories that findings in the project can have, as far as its label schemas name them."""
    definitions = LabelSchemaVersion.objects.filter(schema__project=project).values_list("definition", flat=True)
    return {name for definition in definitions for name in definition["categories"]} | set(MODERATION_CATEGORIES)
