"""Running plans: the missing trials, their order, and the processes that train."""
