"""The values of flags: how they are read, shown in help, and completed by a shell."""

from collections.abc import Sequence
from typing import Any

from absl import flags

from keras_asymbp._names import cased

MOST = 2**31 - 1  # the largest integer that every library can take
FOLDER = "FOLDER"
# What names that are not known may stand for.
PATH, COLUMN = "PATH", "COLUMN"


class Text(flags.ArgumentParser):
    """Any text.

    Args:
        metavar: Stands for the value in help; `FOLDER` is completed.
    """

    def __init__(self, metavar: str = "TEXT"):
        self.metavar = metavar


class Name(flags.ArgumentParser):
    """A name; one that differs from a known name in case only is read as that name.

    Args:
        known: The known names. Others are refused where the value is used.
    """

    metavar = "NAME"

    def __init__(self, known: Sequence[str]):
        self.known = tuple(known)

    def parse(self, argument: str) -> str:
        return cased(super().parse(argument) or "", self.known)


class List(flags.ListParser):
    """Values separated by commas, at least one.

    Args:
        metavar: Stands for one of them in help.
        known: Names, read as by `Name`.
        others: What other names stand for, `PATH` or `COLUMN`; None if they have no
            meaning. If they have one, a name is taken as it is.
    """

    def __init__(
        self,
        metavar: str = "NAME",
        known: Sequence[str] = (),
        others: str | None = None,
    ):
        super().__init__()
        self.metavar = f"{metavar},..."
        self.known = tuple(dict.fromkeys(known))  # tables share models
        self.others = others

    def parse(self, argument: Any) -> list[str]:
        names = super().parse(argument)
        if not names and isinstance(argument, str):  # no default
            # An empty list is a slip, such as an empty variable of the shell.
            raise ValueError("needs one or more; leave the flag out for its default")
        return names if self.others else [cased(name, self.known) for name in names]


class Integer(flags.ArgumentParser):
    """An integer that every library can take; its least value is checked later."""

    metavar = "N"

    def parse(self, argument: Any) -> int:
        try:
            number = int(argument)
        except ValueError:
            number = MOST + 1
        if abs(number) > MOST:
            raise ValueError("must be a whole number below 2^31")
        return number


class Number(flags.ArgumentParser):
    """A number; its range is checked later."""

    metavar = "NUMBER"

    def parse(self, argument: Any) -> float:
        try:
            return float(argument)
        except ValueError:
            raise ValueError("must be a number") from None


class Switch(flags.BooleanParser):
    """True or false."""

    def parse(self, argument: Any) -> bool:
        try:
            return super().parse(argument)
        except (TypeError, ValueError):
            raise ValueError("must be true or false") from None


class SwitchOrName(flags.ArgumentParser):
    """A switch that also takes a name after `=`: --list, or --list=networks.

    Its value is False, True or the name.

    Args:
        known: The names.
    """

    metavar = "NAME"

    def __init__(self, known: Sequence[str]):
        self.known = tuple(known)

    def parse(self, argument: Any) -> bool | str:
        try:
            return Switch().parse(argument)
        except ValueError:
            return cased(argument, self.known)
