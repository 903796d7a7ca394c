"""News for the rooms above, sent inside the transaction that makes it true."""

from django.dispatch import Signal

#: A check needs a person. Arguments: `check` (Check), `kind` ("held", "flagged", "compared", "sampled" or "late"),
#: `inclusion_prob` (float, the probability with which such a check is put in front of people).
check_flagged = Signal()
