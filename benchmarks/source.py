"""The source of measurements: the fields that stand first in each file of them."""

import datetime
import shlex
import sys
from typing import Any

from keras_asymbp.benchmarks import environment


def describe(**fields: Any) -> dict[str, Any]:
    """The command of this process, the date, other fields, and the environment."""
    return {
        "command": shlex.join(["python", *sys.orig_argv[1:]]),
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        **fields,
        **environment.describe(),
    }
