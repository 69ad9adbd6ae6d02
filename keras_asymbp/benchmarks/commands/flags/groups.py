"""Groups of flags, the headings of a command's help."""

from collections.abc import Sequence
from typing import Any

from absl import flags

from keras_asymbp.benchmarks.commands.flags import parsers

# The headings, in the order of the help.
ESSENTIALS = "Essentials"
TRAINING = "Training, where it differs from the preset"
PROCESSES = "Processes and backend"
RAY = "Ray, with --executor ray"
OUTPUT = "Other output"
HELP = "Help"
HEADINGS = (ESSENTIALS, TRAINING, OUTPUT, PROCESSES, RAY, HELP)


class Group:
    """Defines flags under a heading, which absl keeps as the name of their module.

    Args:
        heading: One of `HEADINGS`.
        values: Where the flags are defined; by default where absl parses them.
    """

    def __init__(self, heading: str, values: flags.FlagValues = flags.FLAGS):
        self._heading = heading
        self._values = values

    def text(
        self, name: str, default: str | None, text: str, metavar: str = "TEXT"
    ) -> flags.FlagHolder:
        return self._define(parsers.Text(metavar), name, default, text)

    def name(
        self, name: str, default: str | None, text: str, known: Sequence[str]
    ) -> flags.FlagHolder:
        return self._define(parsers.Name(tuple(known)), name, default, text)

    def list(
        self,
        name: str,
        default: Sequence[str] | None,
        text: str,
        metavar: str = "NAME",
        known: Sequence[str] = (),
        others: str | None = None,
    ) -> flags.FlagHolder:
        """Values separated by commas; see `parsers.List`."""
        parser = parsers.List(metavar, tuple(known), others)
        listed = default if default is None else list(default)
        return self._define(
            parser, name, listed, text, serializer=flags.CsvListSerializer(",")
        )

    def integer(self, name: str, default: int | None, text: str) -> flags.FlagHolder:
        return self._define(parsers.Integer(), name, default, text)

    def number(self, name: str, default: float | None, text: str) -> flags.FlagHolder:
        return self._define(parsers.Number(), name, default, text)

    def switch(self, name: str, default: bool | None, text: str) -> flags.FlagHolder:
        return self._define(parsers.Switch(), name, default, text, boolean=True)

    def switch_or_name(
        self, name: str, text: str, known: Sequence[str]
    ) -> flags.FlagHolder:
        """A switch that is off by default; see `parsers.SwitchOrName`."""
        parser = parsers.SwitchOrName(tuple(known))
        return self._define(parser, name, False, text, boolean=True)

    def _define(self, parser, name, default, text, **options: Any) -> flags.FlagHolder:
        return flags.DEFINE(
            *(parser, name, default, text),
            flag_values=self._values,
            module_name=self._heading,
            **options,
        )
