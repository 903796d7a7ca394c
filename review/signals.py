"""News of review for the rooms above, sent inside the transaction that makes it true."""

from django.dispatch import Signal

#: An item was decided. Arguments: `decision` (Decision), `item` (ReviewItem).
decision_recorded = Signal()
