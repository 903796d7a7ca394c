"""Labels that come from outside: how they, and the checks that came with them, are told from what rules found."""

from __future__ import annotations

#: Of findings. No rule of a policy has this detector, so no figure of a rule counts them.
DETECTOR = "label_studio"
#: Of checks whose texts came in with their labels, and never went to an application.
DOOR = "label_studio"
#: Why such a check is in front of people.
IMPORTED = "imported"
