"""Label Studio's JSON: tasks for it, and what comes back."""
