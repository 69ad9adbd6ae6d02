"""What goes wrong on the user's side of the command line."""


class UsageError(Exception):
    """A request that can't be met: one line, which says what to do instead.

    Several arguments are several such lines.
    """

    def __str__(self) -> str:
        return "\n".join(map(str, self.args))


class NotPreparedError(UsageError):
    """A data set isn't there yet."""


class StoreError(UsageError):
    """Results can't be written any more, in the middle of a run."""


def unknown(kind: str, name: str, known, other: str | None = None) -> UsageError:
    """The error for a name that isn't known, nor what `other` says."""
    choice = f"choose from {', '.join(known)}" + (f"; or give {other}" if other else "")
    return UsageError(f"unknown {kind} '{name}': {choice}")
