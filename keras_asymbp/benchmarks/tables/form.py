"""Forms of values that are read from JSON, as data."""

import dataclasses
import functools
import itertools
import reprlib
from collections.abc import Callable, Mapping
from typing import Any

from keras_asymbp.benchmarks.escaping.printable import printable

# Larger numbers overflow where they are computed with.
_LARGEST_WHOLE, _LARGEST = 2**63, 1e300
# The most fields of one object that have no form of their own.
_MOST_OTHERS = 100


@dataclasses.dataclass(frozen=True)
class Kind:
    """A value without parts.

    Attributes:
        expected: What it is, in words.
        holds: Whether a value is of this kind.
    """

    expected: str
    holds: Callable[[Any], bool]


@dataclasses.dataclass(frozen=True)
class Fields:
    """An object.

    Attributes:
        required: The form of each field that it has.
        optional: The form of each field that it may have.
        others: The form of any other field; None if there are none.
        most: The largest number of other fields.
    """

    required: Mapping[str, "Form"]
    optional: Mapping[str, "Form"] = dataclasses.field(default_factory=dict)
    others: "Form | None" = None
    most: int = _MOST_OTHERS

    @functools.cached_property
    def known(self) -> Mapping[str, "Form"]:
        """The form of each field that has its own."""
        return {**self.optional, **self.required}


@dataclasses.dataclass(frozen=True)
class Items:
    """A list; each item has the same form."""

    item: "Form"


@dataclasses.dataclass(frozen=True)
class Nullable:
    """A value of a form, or null."""

    form: "Form"


Form = Kind | Fields | Items | Nullable

TEXT = Kind("text", lambda value: type(value) is str)
TRUTH = Kind("true or false", lambda value: type(value) is bool)
SCALAR = Kind("no list and no object", lambda value: not isinstance(value, list | dict))
ANYTHING = Kind("anything", lambda value: True)


def whole(low: int = -_LARGEST_WHOLE) -> Kind:
    """A whole number from `low` on; `true` and `1.0` are none."""
    words = "a whole number" + (f" from {low}" if low > -_LARGEST_WHOLE else "")
    return Kind(words, lambda v: type(v) is int and low <= v <= _LARGEST_WHOLE)


def number(low: float = -_LARGEST, high: float = _LARGEST) -> Kind:
    """A finite number in a range."""
    words = "a number" + (f" from {low:g}" if low > -_LARGEST else "")
    words += f" to {high:g}" if high < _LARGEST else ""
    return Kind(words, lambda v: type(v) in (float, int) and low <= v <= high)


def schedule(size: Form) -> Kind:
    """Pairs of a first epoch, rising from 0, and a batch size of a form."""

    def holds(value):
        if type(value) is not list or not all(map(_is_pair, value)):
            return False
        epochs = [epoch for epoch, _ in value]
        return (
            epochs[:1] == [0]
            and all(a < b for a, b in itertools.pairwise(epochs))
            and all(fault(number, size) is None for _, number in value)
        )

    return Kind("a list of pairs of an epoch and a batch size, from epoch 0 on", holds)


def _is_pair(value):
    return type(value) is list and len(value) == 2 and whole(0).holds(value[0])


def fault(value: Any, form: Form) -> str | None:
    """The first difference between a value and a form, in words; None without one.

    >>> fault({"error": 1.5}, Fields({"error": number(0, 1)}))
    'error is 1.5, expected a number from 0 to 1'
    """
    if (found := _fault(value, form)) is None:
        return None
    path, words = found
    return f"{printable(path.lstrip('.') or 'it')} {words}"


def _fault(value, form):
    """The path of the first faulty part, and what is wrong with it; or None."""
    if type(form) is Kind:
        if form.holds(value):
            return None
        return "", f"is {_short(value)}, expected {form.expected}"
    if type(form) is Nullable:
        return None if value is None else _fault(value, form.form)
    if type(form) is Items:
        return _fault_of_items(value, form.item)
    return _fault_of_fields(value, form)


def _fault_of_items(value, form):
    if type(value) is not list:
        return "", f"is {_short(value)}, expected a list"
    for index, item in enumerate(value):
        if found := _fault(item, form):
            return f"[{index}]{found[0]}", found[1]
    return None


def _fault_of_fields(value, form):
    if type(value) is not dict:
        return "", f"is {_short(value)}, expected an object"
    for key in form.required:
        if key not in value:
            return f".{key}", "is missing"
    others = 0
    for key, part in value.items():
        of_part = form.known.get(key)
        if of_part is None:
            of_part, others = form.others, others + 1
            if of_part is None or others > form.most:
                return f".{key}", "is a field that this version does not know"
        if type(of_part) is Kind and of_part.holds(part):  # as nearly all do
            continue
        if found := _fault(part, of_part):
            return f".{key}{found[0]}", found[1]
    return None


def _short(value):
    return printable(reprlib.repr(value))
