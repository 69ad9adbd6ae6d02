"""What goes wrong on the user's side of the command line."""


class UsageError(Exception):
    """A request that can't be met: one line, which says what to do instead."""


class StoreError(UsageError):
    """Results can't be written any more, in the middle of a run."""


def unknown(kind: str, name: str, known) -> UsageError:
    """The error for a name that isn't among the known ones."""
    return UsageError(f"unknown {kind} '{name}': choose from {', '.join(known)}")
