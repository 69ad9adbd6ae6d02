"""Every stored trial as a row of a table, for pandas and spreadsheets."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from keras_asymbp.benchmarks.escaping import spreadsheet

_FIRST = ("model", "dataset", "seed", "learning_rate", "best_error")


def text(trials: Iterable[Mapping[str, Any]]) -> str:
    """The trials as CSV with a heading, ordered by file name.

    A row has `id`, `model`, every setting under its own name (lists as JSON),
    `best_error` (a share), `best_epoch`, `diverged`, `epochs_finished`, and
    `train_error` and `test_error` of the last epoch; then `started`, `seconds`,
    `command`, `file`, `compile_seconds`, and the versions and the machine as
    `version.tensorflow`, `machine.cores` and so on. Missing values are empty. A text
    that a spreadsheet might take for a formula has an apostrophe in front.

    Args:
        trials: The trials, as `Store.trials` returns them.
    """
    rows = [_row(trial) for trial in trials]
    rows.sort(key=lambda row: [str(row[name]) for name in ("file", "id")])
    names = dict.fromkeys(_FIRST) | dict.fromkeys(name for row in rows for name in row)
    return spreadsheet.text([*names], (map(row.get, names) for row in rows))


def _row(trial):
    result = trial["result"]
    last = result["curves"][-1] if result["curves"] else {}
    row = {
        "id": trial["id"],
        "model": trial["model"],
        **trial["settings"],
        **{name: result[name] for name in ("best_error", "best_epoch", "diverged")},
        "epochs_finished": len(result["curves"]),
        **{name: last.get(name) for name in ("train_error", "test_error")},
        **{name: trial[name] for name in ("started", "seconds", "command", "file")},
        "compile_seconds": trial.get("compile_seconds"),  # of `seconds`; on JAX
        **{f"version.{name}": value for name, value in trial["versions"].items()},
        **{f"machine.{name}": value for name, value in trial["machine"].items()},
    }
    return {
        name: json.dumps(value) if isinstance(value, list | dict) else value
        for name, value in row.items()
    }
