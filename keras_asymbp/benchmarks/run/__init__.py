"""Running plans: what is missing, in which order, and in which processes."""
