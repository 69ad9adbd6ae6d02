"""The definition of an experiment as plain values, of YAML or JSON, and its checks."""

import dataclasses
import numbers
import os
import re
import reprlib
from collections.abc import Mapping
from typing import Any

from keras_asymbp.benchmarks import networks
from keras_asymbp.benchmarks.errors import unknown
from keras_asymbp.benchmarks.escaping.printable import one_line
from keras_asymbp.benchmarks.tables.experiments import (
    ALL,
    OPTIMIZERS,
    Column,
    Experiment,
)
from keras_asymbp.benchmarks.tables.form import (
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
from keras_asymbp.benchmarks.tables.rules import rules


class Fault(Exception):  # noqa: N818 (what users see is the error that it ends in)
    """The reason why a definition defines no experiment, without its file."""


# Sources whose figures are in `tables/printed`.
_OF_THE_PACKAGE = ("paper", "BioTorch")
_LONGEST = 200  # characters of a text
_MOST = 500  # columns
_PERCENTAGE = r"\d{1,2}|100"
# Names stand in flags, separated by commas.
_NO_NAME = re.compile(r'[,"]|^\s|\s$|^$')


def _is_text(value):
    return (
        type(value) is str and len(value) <= _LONGEST and value == one_line(value) != ""
    )


def _choice(*names: str) -> Form:
    words = " or ".join(f"'{name}'" for name in names)
    return Nullable(Kind(words, lambda v: type(v) is str and v in names))


_TEXT = Kind(f"text of one line, up to {_LONGEST} characters, in quotes", _is_text)
_NAME = Kind(
    f"a name of up to {_LONGEST} characters, in quotes, without commas and quotes",
    lambda value: _is_text(value) and not _NO_NAME.search(value),
)
_RATE = Kind("a number above 0", lambda v: number().holds(v) and v > 0)
_SHARE = number(0, 1)
_COLUMN: dict[str, Form] = {
    "name": _NAME,
    "rule": _TEXT,
    "flip_probability": Nullable(_SHARE),
    "normalization": _choice("BN", "BN learnable"),
    "setting": Kind("0, 1, 2 or 3", lambda v: type(v) is int and 0 <= v <= 3),
    "clamped": _choice("Bottom", "Top"),
    "batch_schedules": Items(schedule(Nullable(whole(1)))),
    "weight_decay": Nullable(number(0)),
    "scale": _choice("fan_in", "init_std"),
    "learning_rates": Nullable(Items(_RATE)),
    "optimizer": _choice(*OPTIMIZERS),
}
_EXPERIMENT: dict[str, Form] = {
    "name": _NAME,
    "title": _TEXT,
    "table": _TEXT,
    "columns": Items(Fields({"name": _NAME}, _COLUMN)),
    "baseline": _NAME,
    "source": Nullable(_TEXT),
    "networks": Fields({}, others=_TEXT),
    "validation_share": Kind(
        "a number from 0 to less than 1", lambda v: _SHARE.holds(v) and v < 1
    ),
    "signs": _choice("batchwise", "fixed"),
    "figures": Fields({}, others=Fields({}, others=number(0, 100), most=_MOST)),
}
_OF_A_COLUMN = re.compile(r"^columns\[(\d+)\](\.?)")
_REQUIRED = ("name", "title", "columns")


def experiment(fields: Any, file: str) -> Experiment:
    """The experiment that a definition describes.

    Its fields are those of `Experiment` and `Column`, with the same defaults; pairs and
    triples are mappings: `networks` from a data set's own network to another one,
    `figures` from a data set to a mapping from a column to an error.

    Args:
        fields: The definition, of the types of YAML.
        file: The user's file; its name is the default of `table`, and of the
            `source` of figures.

    Raises:
        Fault: If it defines none.

    >>> columns = [{"name": "SGD"}, {"name": "signs", "rule": "uSF", "setting": 1}]
    >>> fields = {"name": "mine", "title": "Signs only", "columns": columns}
    >>> experiment(fields, "mine.yaml").columns[1].feedback
    'uSF'
    """
    if not isinstance(fields, dict) or not isinstance(fields.get("columns"), list):
        raise Fault(
            f"no table: expected the fields {', '.join(_REQUIRED)}, with a list of "
            "columns"
        )
    for place, found, known in _parts(fields):
        if isinstance(found, dict):
            for name in found:
                if name not in known:
                    raise _at(place, unknown("field", str(name), known))
    form = Fields({name: _EXPERIMENT[name] for name in _REQUIRED}, _EXPERIMENT)
    if found := fault(fields, form):
        raise Fault(_OF_A_COLUMN.sub(_of_column, found))
    columns = tuple(map(_column, fields["columns"]))
    _check_names(fields, columns)
    own = fields.get("figures") or {}
    file_name = one_line(os.path.basename(file))[-_LONGEST:]
    return Experiment(
        name=fields["name"],
        title=fields["title"],
        table=fields.get("table") or file_name,
        columns=columns,
        baseline=fields.get("baseline", Experiment.baseline),
        source=fields.get("source") or (file_name if own else None),
        networks=tuple(fields.get("networks", {}).items()),
        validation_share=float(fields.get("validation_share", 0.0)),
        signs=fields.get("signs"),
        figures=tuple(
            (row, column, float(error))
            for row, errors in own.items()
            for column, error in errors.items()
        ),
        file=file,
    )


def fields(defined: Experiment) -> dict[str, Any]:
    """The definition of an experiment; `experiment` makes an equal one from it.

    Raises:
        Fault: If `networks` are no pairs or `figures` no triples, or one of them is
            given twice.
    """
    found = _plain(
        {f.name: getattr(defined, f.name) for f in dataclasses.fields(Experiment)}
    )
    del found["file"]
    if not isinstance(found["networks"], dict):
        words = "pairs of a data set's own network and another one"
        pairs = _tuples(found, "networks", 2, words)
        found["networks"] = _once("networks", pairs)
    if not isinstance(found["figures"], dict):
        words = "triples of a data set, a column and an error"
        triples = _tuples(found, "figures", 3, words)
        found["figures"] = {
            row: _once(
                f"figures of '{row}'",
                [(column, error) for other, column, error in triples if other == row],
            )
            for row in dict.fromkeys(row for row, *_ in triples)
        }
    return found


def _tuples(fields, name, length, words):
    """The tuples of a field, of which all but the last part are names."""
    value = fields[name]
    is_list = isinstance(value, list)
    for each in value if is_list else [value]:
        is_tuple = is_list and isinstance(each, list) and len(each) == length
        if not is_tuple or not all(isinstance(part, str) for part in each[:-1]):
            raise Fault(f"{name}: expected {words}, received {reprlib.repr(each)}")
    return value


def _once(place, pairs):
    """The mapping of pairs."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise Fault(f"{place}: the field '{key}' is given twice")
        found[key] = value
    return found


def _plain(value):
    """A value of the types of YAML for one of Python, NumPy's numbers included."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        pairs = ((f.name, getattr(value, f.name)) for f in dataclasses.fields(value))
        return {name: _plain(part) for name, part in pairs}
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, bool | str) or not isinstance(value, numbers.Real):
        return value
    return int(value) if isinstance(value, numbers.Integral) else float(value)


def _parts(fields):
    """The parts with known fields: place, part and fields."""
    yield None, fields, _EXPERIMENT
    for index, column in enumerate(fields["columns"]):
        yield _column_name(index), column, _COLUMN


def _at(place, error):
    """The fault at a place."""
    return Fault(f"{place}: {error}" if place else str(error))


def _of_column(match):
    return _column_name(int(match[1])) + (": " if match[2] else "")


def _column_name(index):
    return f"column {index + 1}"


def _two_fields(rule, known):
    """The fields for a rule such as brSF-25, which layers take as one string."""
    name, _, percentage = rule.rpartition("-")
    if name in known and known[name].flips and re.fullmatch(_PERCENTAGE, percentage):
        return f"rule '{name}' and flip_probability {int(percentage) / 100:g}"
    return None


def _column(given):
    values = dict(given)
    for name in ("flip_probability", "weight_decay"):
        if values.get(name) is not None:
            values[name] = float(values[name]) + 0.0  # -0.0 would make another id
    if (rates := values.get("learning_rates")) is not None:
        values["learning_rates"] = tuple(dict.fromkeys(map(float, rates)))
    if "batch_schedules" in values:
        values["batch_schedules"] = tuple(
            tuple(map(tuple, schedule)) for schedule in values["batch_schedules"]
        )
    column = Column(**values)
    place = f"column '{column.name}'"
    known = rules()
    if column.rule not in known:
        raise _at(
            place, unknown("rule", column.rule, known, _two_fields(column.rule, known))
        )
    rule = known[column.rule]
    partial = column.feedback.removeprefix(column.rule)
    for name, is_taken in (("flip_probability", rule.flips), ("scale", rule.scales)):
        if getattr(column, name) is not None and not is_taken:
            raise Fault(f"{place}: rule '{column.rule}' takes no {name}")
    if not re.fullmatch(rf"(-({_PERCENTAGE}))?", partial):
        raise Fault(
            f"{place}: flip_probability is {column.flip_probability}, expected a whole "
            "percentage, such as 0.25"
        )
    if column.setting and column.optimizer:
        raise Fault(f"{place}: setting is Batch Manhattan's, not {column.optimizer}'s")
    for name in ("learning_rates", "batch_schedules"):
        if getattr(column, name) == ():
            raise Fault(f"{place}: {name} is empty")
    return column


def _check_names(fields, columns):
    """Checks what names refer to, and that none is taken."""
    name = fields["name"]
    if name.casefold() in {taken.casefold() for taken in (*ALL, "all", "ablation")}:
        raise Fault(f"the name '{name}' is an experiment of the package")
    names = [column.name for column in columns]
    if not 0 < len(names) <= _MOST:
        raise Fault(f"{len(names)} columns, expected 1 to {_MOST}")
    for column_name in names:
        if names.count(column_name) > 1:
            raise Fault(f"two columns have the name '{column_name}'")
    baseline = fields.get("baseline", Experiment.baseline)
    if baseline not in names:
        raise _at(None, unknown("baseline", baseline, names))
    for pair in fields.get("networks", {}).items():
        for network in pair:
            if network not in networks.NETWORKS:
                known = networks.NETWORKS
                raise _at("networks", unknown("network", str(network), known))
    figures = fields.get("figures") or {}
    for row, errors in figures.items():
        if not _is_text(row):
            raise Fault(f"figures: '{row}' is no name of a data set")
        for column_name in errors:
            if column_name not in names:
                place = f"figures of '{row}'"
                raise _at(place, unknown("column", str(column_name), names))
    source = fields.get("source")
    if figures and source in _OF_THE_PACKAGE:
        raise Fault(f"the figures of source '{source}' are part of the package")
    if source and not figures and source not in _OF_THE_PACKAGE:
        raise Fault(f"source '{source}' has no figures: give them or leave it out")
