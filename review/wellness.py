"""How texts are shown to a reviewer: what they chose, else what their project has."""

from __future__ import annotations

from dataclasses import dataclass

from review.models import WellnessSettings
from review.profiles import profile_of
from webapp.accounts.models import Membership, Project


@dataclass(frozen=True, slots=True)
class Comfort:
    """`cover_from` is a severity; `look` a choice of Look; `toggles`: the key need not be held."""

    cover_from: int
    look: str
    toggles: bool


def wellness_of(project: Project) -> WellnessSettings:
    """Return the project's settings, the defaults when there are none; asked once for each `project`."""
    settings: WellnessSettings | None = getattr(project, "wellness", None)
    return settings or WellnessSettings(project=project)


def comfort_of(membership: Membership) -> Comfort:
    """Return what holds for the member."""
    profile, settings = profile_of(membership), wellness_of(membership.project)
    return Comfort(
        cover_from=settings.cover_from if profile.cover_from is None else profile.cover_from,
        look=profile.look or settings.look,
        toggles=profile.toggles,
    )
