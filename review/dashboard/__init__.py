"""What a lead watches: how much waits, how fast it goes, and where machine and people disagree."""
