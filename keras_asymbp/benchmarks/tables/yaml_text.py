"""Reads YAML as `yaml.safe_load` does, but finds what that leaves unnoticed."""

import re
from typing import Any

import yaml

from keras_asymbp.benchmarks.datasets import foreign
from keras_asymbp.benchmarks.tables.definition import Fault


class _Loader(yaml.SafeLoader):
    """Refuses a repeated key, and reads `5e-4` as a number, as YAML 1.2 does."""

    def compose_mapping_node(self, anchor):
        node = super().compose_mapping_node(anchor)
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    line = key.start_mark.line + 1
                    raise Fault(f"line {line}: the field '{key.value}' is given twice")
                seen.add(key.value)
        return node


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"),
    list("-+.0123456789"),
)


def load(text: str) -> Any:
    """The value in a text of YAML.

    Raises:
        Fault: If it has none: the line, and the reason.

    >>> load("rates: [5e-4, 0.1]")
    {'rates': [0.0005, 0.1]}
    """
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f"line {mark.line + 1}: " if mark else ""
        raise Fault(f"{line}{error.problem or error.context}") from error
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise Fault(f"no YAML: {foreign.reason(error)}") from error
