"""The record of a finished trial: its form, and whether it is one to believe."""

import dataclasses
import datetime
import types
import typing
from typing import Any

from keras_asymbp.benchmarks.results.measures import MEASURES
from keras_asymbp.benchmarks.tables.form import (
    ANYTHING,
    SCALAR,
    TEXT,
    TRUTH,
    Fields,
    Form,
    Items,
    Kind,
    Nullable,
    fault,
    number,
    schedule,
    whole,
)
from keras_asymbp.benchmarks.tables.protocol import Protocol


def disbelief(record: Any) -> str | None:
    """Why a record is not believed, in words; None if it is.

    It must have the form below, and its errors must be those of the best epoch of its
    curves.

    >>> disbelief({"id": "1"})
    'settings is missing'
    """
    if found := fault(record, _RECORD):
        return found
    return _unlike_settings(record["settings"]) or _unlike_curves(record)


def _is_time(value):
    try:
        datetime.datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return False
    return True


_SHARE = number(0, 1)
# Keras's accuracies are float32.
_ROUGH_SHARE = Kind(_SHARE.expected, number(-1e-6, 1 + 1e-6).holds)
_COUNT = whole(1)
_ANGLE = Nullable(number(0, 180))
_TYPES: dict[Any, Form] = {int: whole(), float: number(), str: TEXT, bool: TRUTH}
# Those of a protocol's settings that have a range.
_RANGES: dict[str, Form] = {
    **dict.fromkeys(("epochs", "batch_size", "statistics_batches", "revision"), _COUNT),
    **dict.fromkeys(("statistics_alpha", "validation_share"), _SHARE),
    **dict.fromkeys(
        ("train_examples", "test_examples", "alignment_batches"), Nullable(_COUNT)
    ),
}


def _of_type(kind):
    if isinstance(kind, types.UnionType):
        return Nullable(_TYPES[typing.get_args(kind)[0]])
    return _TYPES[kind]


def _by_layer(measures):
    most = 10_000  # layers
    return Nullable(Fields({}, others=Fields(measures), most=most))


_PROTOCOL = {
    field.name: _RANGES.get(field.name) or _of_type(field.type)
    for field in dataclasses.fields(Protocol)
    if field.name != "learning_rates"
}
_LATER = {
    field.name: field.default
    for field in dataclasses.fields(Protocol)
    if field.metadata.get("later")
}
_MISSING = object()
# As `Cell.settings` writes them.
_SETTINGS = Fields(
    {
        **{name: form for name, form in _PROTOCOL.items() if name not in _LATER},
        **dict.fromkeys(("dataset", "data_version", "architecture", "feedback"), TEXT),
        **dict.fromkeys(("normalization", "clamped"), Nullable(TEXT)),
        "setting": whole(0),
        "learning_rate": number(),
        "batch_schedule": schedule(_COUNT),
        "seed": whole(0),
    },
    {**{name: _PROTOCOL[name] for name in _LATER}, "scale": TEXT, "optimizer": TEXT},
)
# As `training.trial.Trial` writes them.
_ROW = Fields(
    {
        "epoch": _COUNT,
        "learning_rate": number(),
        "train_loss": number(),
        "train_error": _ROUGH_SHARE,
        "test_loss": number(),
        "test_error": _SHARE,
    },
    {"validation_loss": number(), "validation_error": _SHARE},
)
_RESULT = Fields(
    {
        "best_error": _SHARE,
        "best_epoch": Nullable(_COUNT),
        "diverged": TRUTH,
        "curves": Items(_ROW),
    },
    {
        "validation_error": _SHARE,
        "alignment": _by_layer({"angle": _ANGLE, "gradient_angle": _ANGLE}),
        "diagnostics": _by_layer(MEASURES),
    },
    others=ANYTHING,
)
# As `training.workbench.Workbench` writes them. Optional ones came later.
_RECORD = Fields(
    {
        "id": TEXT,
        "settings": _SETTINGS,
        "model": TEXT,
        "result": _RESULT,
        "started": Kind("a date and time", _is_time),
        "seconds": number(0),
        "command": TEXT,
        "versions": Fields({}, others=TEXT),
        "machine": Fields(
            {"system": TEXT, "processor": TEXT, "cores": Nullable(_COUNT)},
            {
                "threads": whole(),
                "deterministic": TRUTH,
                "accelerator": Nullable(TEXT),
            },
            others=SCALAR,
        ),
    },
    {
        "overridden": Fields({}, _PROTOCOL),
        "compile_seconds": Nullable(number(0)),
    },
    others=ANYTHING,
)


def _unlike_settings(settings):
    """A setting that no run writes, in words: it is omitted at its default."""
    for name, default in (_LATER | {"scale": "", "optimizer": ""}).items():
        if settings.get(name, _MISSING) == default:
            return f"settings.{name} is its default, which is never stored"
    return None


def _unlike_curves(record):
    """How the result differs from its curves, in words."""
    settings, result = record["settings"], record["result"]
    rows, best = result["curves"], result["best_epoch"]
    held_out = "validation_share" in settings
    if any(("validation_error" in part) != held_out for part in (result, *rows)):
        return "validation_share and validation_error do not go together"
    if "alignment_batches" in settings and "alignment" not in result:
        return "result.alignment is missing"
    # Alignment was stored before diagnostics were.
    absent = result.get("alignment") is None
    if "diagnostics" in result and (result["diagnostics"] is None) != absent:
        return "result.alignment and result.diagnostics do not go together"
    if [row["epoch"] for row in rows] != list(range(1, len(rows) + 1)):
        return "the epochs of result.curves are not 1, 2, 3 and so on"
    if len(rows) > settings["epochs"]:
        return "result.curves has more epochs than the settings"
    if len(rows) < settings["epochs"] and not result["diverged"]:
        return "result.curves lacks epochs, and result.diverged is false"
    if not rows:  # the errors are those of guessing among two classes or more
        chosen = best is None and result["best_error"] >= 0.5
    else:
        criterion = "validation_error" if held_out else "test_error"
        lowest = min(row[criterion] for row in rows)
        chosen = best is not None and best <= len(rows)
        chosen = chosen and (lowest, rows[best - 1]["test_error"]) == (
            *(rows[best - 1][criterion], result["best_error"]),
        )
        chosen = chosen and result[criterion if held_out else "best_error"] == lowest
    return None if chosen else "its errors are not those of the best of result.curves"
