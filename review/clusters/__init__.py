"""Near-duplicates of an item: which of them wait, how they differ, and which one answer fits."""
