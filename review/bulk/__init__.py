"""Change all the items that a filter matches: in chunks, with what was before, so that it can be undone."""
