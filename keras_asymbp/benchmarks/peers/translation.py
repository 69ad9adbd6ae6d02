"""Translates a peer's options: our command, the same in Python, and remarks."""

import dataclasses
import math
import re
import reprlib
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from keras_asymbp._names import did_you_mean
from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.peers.options import SETTINGS, Here, Option
from keras_asymbp.benchmarks.tables import reproduce
from keras_asymbp.benchmarks.tables.protocol import PRESETS

_EXPERIMENT = "FA-bench"
# No command is equivalent without these settings.
_REQUIRED = ("rule", "architecture", "dataset")
_SCHEDULE = "a tenth of the rate after 50 of 65 epochs, a hundredth after 60"
# A few lines of YAML can expand to gigabytes.
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 200
_SHORT.maxlist = 20
_SHORT.maxlevel = 2
_KINDS = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list of numbers",
}


@dataclasses.dataclass(frozen=True)
class Translation:
    """The translation of a peer's options.

    Attributes:
        command: Our command line; None if there is no equivalent.
        python: The same in Python; None without a rule, as the lines would train by
            backpropagation.
        remarks: A line for each option without an exact equivalent.
    """

    command: str | None
    python: str | None
    remarks: tuple[str, ...]


def translate(options: Sequence[Option], given: Mapping[str, Any]) -> Translation:
    """Translates a peer's options.

    Args:
        options: All options of the peer.
        given: The values given, by name of option.

    Raises:
        UsageError: If a value has the wrong type.

    >>> from keras_asymbp.benchmarks.peers import options
    >>> given = {"training.hyperparameters.epochs": 3}
    >>> translate(options.BIOTORCH, given).remarks[-1]
    'no command: data.dataset is not given'
    """
    # Of an option given as a variable only a text can be kept.
    variables = {name for name, value in given.items() if _is_variable(value)}
    unknown = {o.name for o in options if o.kind is not str or o.values} & variables
    values = {
        option.name: _value(option, given.get(option.name, option.default))
        for option in options
        if (option.name in given or option.default is not None)
        and not unknown & {option.name, option.same_as}
    }
    equivalents = {o.name: _equivalent(o, values) for o in options if o.name in values}
    settings = {
        option.setting: equivalents[option.name]
        for option in options
        if option.name in equivalents and equivalents[option.name].exists
    }
    for here in equivalents.values():
        settings |= {name: Here(value) for name, value in here.also}
    lacking = [name for name in _REQUIRED if settings.get(name, Here()).value is None]
    remarks = list(_unknown(options, given))
    remarks += [
        f"{name}: {_printable(given[name])}: a variable of the shell: put its value in "
        "its place"
        for name in given
        if name in variables
    ]
    for option in options:
        if option.name not in equivalents:
            continue
        here = equivalents[option.name]
        notes = [here.note.replace("`", "")]
        if not lacking and option.setting in settings:
            notes.append(_difference(option.setting, settings))
        note = "; ".join(filter(None, notes))
        if note:
            origin = "" if option.name in given else " (its default)"
            lack = "" if here.exists or option.instead else "no equivalent: "
            value = _printable(values[option.name])
            remarks.append(f"{option.name}: {value}{origin}: {lack}{note}")
    for name in lacking:
        (option,) = (option for option in options if option.setting == name)
        state = "has no equivalent" if option.name in values else "is not given"
        if option.name in unknown:
            state = "is a variable"
        remarks.append(f"no command: {option.name} {state}")
    command = None if lacking else _command(settings)
    python = _python(settings) if "rule" in settings else None
    return Translation(command, python, tuple(remarks))


def _is_variable(value):
    return isinstance(value, str) and re.search(r"\$[\w{@*#?]", value) is not None


def _difference(name, settings) -> str:
    """The command's own value of a setting that no flag can change, if it differs."""
    protocol = PRESETS["quick"]
    value, batch = settings[name].value, protocol.batch_size
    if name == "rate":
        if _is_sgd(settings):
            rate = _summed_rate(value)
            return (
                f"the command uses {rate}: its loss is summed over a batch of {batch}"
            )
        return "in Python only; the command searches its own rates, for SGD"
    ours = {
        "batch_size": (batch, batch),
        "initializer": (protocol.kernel_initializer, protocol.kernel_initializer),
        "momentum": (protocol.momentum, protocol.momentum),
        "weight_decay": (
            protocol.weight_decay / batch,
            f"{protocol.weight_decay} with the summed loss, equal to "
            f"{protocol.weight_decay / batch} with the mean loss",
        ),
        "optimizer": ("SGD", "SGD"),
        "betas": (None, "SGD"),
        "milestones": (None, _SCHEDULE),
        "gamma": (None, _SCHEDULE),
        "decay_every": (None, _SCHEDULE),
    }
    if name not in ours or ours[name][0] == value:
        return ""
    return f"in Python only; the command uses {ours[name][1]}"


def _is_sgd(settings):
    return settings.get("optimizer", Here()).value == "SGD"


def _summed_rate(rate):
    """The equivalent rate for a loss that is summed over the command's batch."""
    return float(f"{rate / PRESETS['quick'].batch_size:.12g}")


def _equivalent(option, values) -> Here:
    """Our equivalent of an option's value, with the note to show."""
    value = values[option.name]
    if option.same_as and value == values[option.same_as]:
        return Here()
    if value in option.fine:
        return Here(value if option.setting else None)
    if option.values is None:
        return Here(value if option.setting else None, option.instead or option.note)
    return option.values.get(value, Here(note=option.note))


def _unknown(options, given) -> Iterator[str]:
    names = [option.name for option in options]
    for name in given:
        if name not in names:
            hint = did_you_mean(str(name), names)
            yield f"{_printable(name)}: unknown, ignored{hint and '; '}{hint}"


def _value(option, value):
    """The value in its option's type; numbers may be given as strings."""
    kind = option.kind
    try:
        if kind is bool and isinstance(value, bool):
            return value
        if kind is list:
            numbers = value if isinstance(value, list) else [value]
            return tuple(map(_number, numbers))
        if kind is float:
            return float(_number(value))
        if kind is int and isinstance(_number(value), int):
            return _number(value)
        # It is printed later, and must not contain control characters.
        is_text = isinstance(value, str | int | float) and str(value).isprintable()
        if kind is str and is_text:
            return str(value)
    except (TypeError, ValueError, OverflowError):
        pass
    raise UsageError(f"{option.name} must be {_KINDS[kind]}, not {_printable(value)}")


def _number(value) -> int | float:
    """A finite number, as an int if it is whole."""
    number = float(value)
    if isinstance(value, bool) or not math.isfinite(number):
        raise ValueError(value)
    return int(number) if number.is_integer() else number


def _printable(value) -> str:
    """The value on one line, without control characters."""
    if isinstance(value, str) and value.isprintable():
        return value
    return _SHORT.repr(list(value) if isinstance(value, tuple) else value)


def _command(settings: Mapping[str, Here]) -> str:
    words = ["--exp", _EXPERIMENT]
    for name, setting in SETTINGS.items():
        if setting.flag and name in settings:
            value = settings[name].value
            if name == "rate" and not _is_sgd(settings):
                continue
            if name == "rate":
                value = _summed_rate(value)
            if value is True:
                words.append(setting.flag)
            elif value is not False:
                words += [setting.flag, str(value)]
    return f"{reproduce.PROGRAM} {shlex.join(words)}"


def _python(settings: Mapping[str, Here]) -> str:
    """The lines of Python, for the user's data and a `model` that ends in logits."""
    values = {name: here.value for name, here in settings.items()}
    lines = ["import keras", "import keras_asymbp"]
    callbacks = []
    if "seed" in values:
        lines.append(f"keras.utils.set_random_seed({values['seed']})")
    if values.get("deterministic"):
        lines.insert(1, "import tensorflow as tf")
        lines.append("tf.config.experimental.enable_op_determinism()")
    lines.append("# model ends in logits; x are inputs, y class indices")
    lines += _conversion(settings)
    if "optimizer" not in values:
        return "\n".join(lines)
    lines += [
        "model.compile(",
        f"    {_optimizer(values)},",
        "    keras.losses.SparseCategoricalCrossentropy(from_logits=True),",
        '    metrics=["accuracy"],',
        ")",
    ]
    rate = _rate(values)
    if rate:
        lines += [
            "schedule = keras.callbacks.LearningRateScheduler(",
            f"    lambda epoch: {rate}",
            ")",
        ]
        callbacks.append("schedule")
    if values.get("rule") == "brSF":
        callbacks.append("keras_asymbp.RedrawFeedback()")
    arguments = _arguments(values, batch_size="batch_size", epochs="epochs")
    if callbacks:
        arguments.append(f"callbacks=[{', '.join(callbacks)}]")
    lines.append(f"model.fit({', '.join(['x', 'y', *arguments])})")
    return "\n".join(lines)


def _conversion(settings) -> list[str]:
    if settings["rule"].value == "DFA":
        return [f"model = {settings['rule'].python}"]
    rule = _expression(settings["rule"])
    if "last_rule" not in settings:
        return [f"model = keras_asymbp.asymmetrize(model, feedback={rule})"]
    return [
        "model = keras_asymbp.asymmetrize(",
        "    model,",
        "    feedback={",
        f"        model.layers[-1].name: {_expression(settings['last_rule'])},",
        f'        "*": {rule},',
        "    },",
        ")",
    ]


def _expression(here):
    return here.python or f'"{here.value}"'


def _optimizer(values):
    name = values["optimizer"]
    arguments = _arguments(values, learning_rate="rate")
    if name == "Adam":
        for number, beta in enumerate(values.get("betas", ()), start=1):
            arguments.append(f"beta_{number}={beta}")
        arguments.append("epsilon=1e-8")  # PyTorch's default, as in RMSprop
        return f"keras.optimizers.Adam({', '.join(arguments)})"
    arguments += _arguments(values, momentum="momentum")
    if name == "RMSProp":
        arguments += ["rho=0.99", "epsilon=1e-8"]
        return f"keras.optimizers.RMSprop({', '.join(arguments)})"
    arguments += _arguments(values, weight_decay="weight_decay")
    # As in PyTorch's SGD, the decay is added to the gradient, and a new rate takes
    # effect at once.
    arguments.append(f"setting={int(name == 'BM')}")
    return f"keras_asymbp.BatchManhattan({', '.join(arguments)})"


def _rate(values):
    """An expression for the learning rate of an epoch, if it changes."""
    if "rate" in values and "decay_every" in values:
        return f"{values['rate']} * 0.1 ** (epoch // {values['decay_every']})"
    if {"rate", "milestones", "gamma"} <= values.keys():
        steps = f"sum(epoch >= start for start in {list(values['milestones'])})"
        return f"{values['rate']} * {values['gamma']} ** {steps}"
    return None


def _arguments(values, **names):
    return [
        f"{argument}={values[name]}"
        for argument, name in names.items()
        if name in values
    ]
