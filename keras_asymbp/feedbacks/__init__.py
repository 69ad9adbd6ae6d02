"""Feedback rules, one per file; `base.py` has the contract."""

import re
from typing import TYPE_CHECKING, Any

import keras

from keras_asymbp._arguments import describe, name_only
from keras_asymbp._discover import public_classes
from keras_asymbp._names import did_you_mean
from keras_asymbp.feedbacks.base import Feedback

if TYPE_CHECKING:  # the rules are discovered at import
    from keras_asymbp.feedbacks._public import *  # noqa: F403

RULES: dict[str, Any] = public_classes(__name__, __path__, Feedback)
globals().update(RULES)
for _rule in RULES.values():
    keras.saving.register_keras_serializable("keras_asymbp")(_rule)
for _rule in (Feedback, *RULES.values()):
    describe(_rule, name_only("feedback"))

ALIASES: dict[str, type[Feedback]] = {
    rule.alias: rule for rule in RULES.values() if rule.alias
}

# Methods of whole models: name, and the call that has it.
_OF_MODELS = {
    "DFA": ("Direct feedback alignment", "direct_feedback(model)"),
    "DRTP": (
        "Direct random target projection",
        'direct_feedback(model, signal="target")',
    ),
}

__all__ = ["ALIASES", "RULES", "Feedback", "deserialize", "get", "serialize", *RULES]


def get(identifier: Any) -> Feedback:
    """Returns the rule for an identifier.

    Args:
        identifier (str | dict | Feedback | None): A rule's name in the paper (`"uSF"`,
            `"brSF-25"` for a flip probability of 0.25), the name of its class, a rule,
            a config from `serialize`, or None for backpropagation.

    Returns:
        A `Feedback`: a new one, or `identifier` itself if that is a rule.

    Raises:
        ValueError: If the rule is unknown.

    >>> import keras_asymbp
    >>> keras_asymbp.feedbacks.get("frSF-25").flip_probability
    0.25
    """
    if identifier is None:
        return ALIASES["BP"]()
    if isinstance(identifier, Feedback):
        return identifier
    if isinstance(identifier, dict):
        try:
            rule = deserialize(identifier)
        except TypeError as error:
            if "Could not locate class" not in str(error):
                raise
            raise ValueError(
                "Unknown feedback rule in a config. Expected one of "
                f"{', '.join(RULES)} or a registered class: decorate yours with "
                "`keras.saving.register_keras_serializable()`, or pass it as "
                f"`custom_objects`. Received: {identifier!r}"
            ) from error
        if isinstance(rule, Feedback):
            return rule
    elif isinstance(identifier, str):
        rule_class = ALIASES.get(identifier) or RULES.get(identifier)
        if rule_class:
            return rule_class()
        partial = re.fullmatch(r"(\w+)-(\d{1,2}|100)", identifier)
        if partial and partial[1] in _partial_aliases():
            return ALIASES[partial[1]](flip_probability=int(partial[2]) / 100)
        if identifier.upper() in _OF_MODELS:
            name, call = _OF_MODELS[identifier.upper()]
            raise ValueError(
                f"{name} is not a rule of one layer: it connects the output to every "
                f"layer. Expected a rule. Use `keras_asymbp.{call}`. "
                f"Received: {identifier!r}"
            )
    raise ValueError(
        f"Unknown feedback rule.{_hint(identifier)} Expected one of "
        f"{', '.join(repr(alias) for alias in ALIASES)}, "
        f"{', '.join(repr(alias + '-25') for alias in _partial_aliases())} (or another "
        "percentage from 0 to 100), None, a config dictionary or an instance of "
        f"`keras_asymbp.feedbacks.Feedback`. Received: {identifier!r}"
    )


def serialize(rule: Feedback) -> dict:
    """Returns the config of a rule; `get` makes a new rule from it."""
    return keras.saving.serialize_keras_object(rule)


def deserialize(config: dict, custom_objects: dict | None = None) -> Feedback:
    """Makes a rule from its config; see `keras.saving.deserialize_keras_object`."""
    return keras.saving.deserialize_keras_object(config, custom_objects=custom_objects)


def _partial_aliases() -> list[str]:
    return [
        a
        for a, rule in ALIASES.items()
        if issubclass(rule, RULES["RandomSignConcordant"])
    ]


def _hint(identifier) -> str:
    """A question for the rules whose names are near."""
    if not isinstance(identifier, str):
        return ""
    known = [*ALIASES, *(rule.__name__ for rule in ALIASES.values())]
    if partial := re.search(r"(?<!\d)0*(\d{1,2}|100)$", identifier):
        known += [f"{alias}-{int(partial[1])}" for alias in _partial_aliases()]
    question = did_you_mean(identifier, known)
    return f" {question[:1].upper()}{question[1:]}" if question else ""
