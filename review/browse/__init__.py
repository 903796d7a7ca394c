"""Find items, waiting and decided."""
