"""How far reviewers who answered independently of each other agree."""
