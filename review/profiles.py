"""Read what reviewers set for themselves."""

from __future__ import annotations

from review.models import ReviewerProfile
from webapp.accounts.models import Membership


def profile_of(membership: Membership) -> ReviewerProfile:
    """Return the member's profile, with the usual settings when there is none; asked once for each `membership`."""
    profile: ReviewerProfile | None = getattr(membership, "reviewer_profile", None)
    # Naming the membership makes it remember the profile.
    return profile or ReviewerProfile(membership=membership)
