"""Reports for a period, made from audit events alone: profiles choose the figures, formats write them."""
