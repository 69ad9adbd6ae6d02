"""Errors that a user of the command line can mend."""

from keras_asymbp._names import did_you_mean
from keras_asymbp.benchmarks.escaping.printable import one_line

# The most names that are listed beside a near one, and without any.
_FEW, _MANY = 16, 40


class UsageError(Exception):
    """A request that cannot be met: one line that says what to do instead.

    Each further argument is another such line. All are made printable: they name what a
    user or a file has named.
    """

    def __init__(self, *lines: object):
        super().__init__(*(one_line(line).strip() for line in lines))

    def __str__(self) -> str:
        return "\n".join(map(str, self.args))


class NotPreparedError(UsageError):
    """A data set is not prepared yet."""


class StoreError(UsageError):
    """Results can no longer be written, in the middle of a run."""


def unknown(kind: str, name: str, known, other: str | None = None) -> UsageError:
    """The error for an unknown name, with the names that are near.

    Args:
        kind: The kind of thing that is named, such as "data set".
        name: The unknown name.
        known: The names to choose from.
        other: What else may be given, in words.
    """
    names = list(known)
    question = did_you_mean(name, names)
    if len(names) <= (_FEW if question else _MANY):
        choice = f"choose from {', '.join(names)}"
    else:
        choice = f"'keras-asymbp run --list' shows all {len(names)}"
    if other:
        choice += f"; or give {other}"
    if question:
        choice = f"{question} {choice[0].upper()}{choice[1:]}"
    return UsageError(f"unknown {kind} '{name}': {choice}")


def not_prepared(what: str, name: str, data_dir: str | None) -> NotPreparedError:
    """The error for a missing data set, with both remedies of the command line.

    Args:
        what: What is missing, and where: the sentence that the remedies follow.
        name: The data set, as `--prepare` takes it.
        data_dir: The folder that was searched, if the user named one.
    """
    where = f" --data_dir {data_dir}" if data_dir else ""
    return NotPreparedError(
        f"{what}: name the folder where it is with --data_dir, or prepare it with: "
        f"keras-asymbp datasets --prepare {name}{where}"
    )
