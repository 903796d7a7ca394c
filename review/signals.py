"""News of review for the rooms above, sent inside the transaction that makes it final."""

from django.dispatch import Signal

#: An item was decided, and the decision can not be taken back any more. Arguments: `decision` (Decision), `item`
#: (ReviewItem).
decision_recorded = Signal()
