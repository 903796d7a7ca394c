"""Why an item was left as it was."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

WHY: dict[str, str | Promise] = {
    "closed": _("it was decided or cancelled meanwhile"),
    "held": _("somebody works on it now"),
    "appeal": _("an appeal waits for its decision"),
    "there": _("its check waits in that queue already"),
    "same": _("it was like that already"),
    "unable": _("the person may not have it, or has another part of it"),
    "stopped": _("it was taken back before its turn"),
    "moved_on": _("it changed since"),
}
