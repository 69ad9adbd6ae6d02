"""Signatures and descriptions of the arguments that our classes take from Keras.

A layer lists neither: the names and defaults are those of its Keras twin, and the
descriptions are here, once for all layers. An argument that is missing here, such as
one of a later Keras, keeps Keras's description. `help(AsymConv2D)`, Jupyter's `?` and
the reference show the same, since all of them read `__doc__` and `__signature__`.
"""

import inspect
import re
import textwrap
from inspect import Parameter, Signature
from typing import Any

import keras

SHARED = """
activation (str | Callable | None): Function of the outputs, by its name (such as
    `"relu"`) or itself. None: the outputs stay as they are.
activity_regularizer (str | Regularizer | None): Penalty on the outputs, which is added
    to the loss.
autocast (bool): Whether to cast inputs to the dtype of the computation.
bias_constraint (str | Constraint | None): Function that is applied to b after each
    update.
bias_initializer (str | Initializer): Initializer of b.
bias_regularizer (str | Regularizer | None): Penalty on b, which is added to the loss.
clipnorm (float | None): Largest norm of the gradient of one variable; a larger one is
    scaled down.
clipvalue (float | None): Largest magnitude of an element of a gradient; larger ones are
    clipped.
data_format (str | None): `"channels_last"` if the channels are the inputs' last axis,
    `"channels_first"` if they are the first after the batch's. None:
    `keras.config.image_data_format()`, which is `"channels_last"` unless changed.
depth_multiplier (int): Number of depthwise outputs of each input channel.
depthwise_constraint (str | Constraint | None): Function that is applied to the
    depthwise kernel after each update.
depthwise_initializer (str | Initializer): Initializer of the depthwise kernel.
depthwise_regularizer (str | Regularizer | None): Penalty on the depthwise kernel, which
    is added to the loss.
dilation_rate (int | tuple[int, ...]): Distance between neighbours in the window, along
    each spatial axis or one integer for all. Above 1 it needs strides of 1.
dtype (str | DTypePolicy | None): The dtype of weights and computation, or a policy with
    one for each, such as `"mixed_float16"`. None: `keras.config.dtype_policy()`.
ema_momentum (float): With `use_ema`, the share of the old average in the new one.
ema_overwrite_frequency (int | None): With `use_ema`, the number of updates after which
    the averages replace the weights. None: only at the end of `fit`.
feedback (str | dict | Feedback | None): The rule for V: its name, such as `"uSF"` or
    `"brSF-25"`, an instance, or its config. None: backpropagation, `V = W`.
filters (int): Number of filters, the size of the outputs' channel axis.
global_clipnorm (float | None): Largest norm of all gradients together; larger ones are
    scaled down.
gptq_unpacked_column_size (int | None): Not supported, for it is part of quantization:
    leave it at None.
gradient_accumulation_steps (int | None): Number of steps for one update, which then
    uses the mean of their gradients. None: one.
groups (int): Number of groups of channels, of input and output alike. Each group of
    `filters // groups` filters sees its own group of the input channels only.
kernel_constraint (str | Constraint | None): Function that is applied to W after each
    update.
kernel_initializer (str | Initializer): Initializer of W.
kernel_regularizer (str | Regularizer | None): Penalty on W, which is added to the loss.
kernel_size (int | tuple[int, ...]): Size of the window along each spatial axis, or one
    integer for all.
lora_alpha (float | None): Not supported, for it is part of LoRA: leave it at None.
lora_rank (int | None): Not supported, for LoRA trains other kernels than W: leave
    it at None.
loss_scale_factor (float | None): Factor of the loss, by which the update divides the
    gradients: a remedy for underflow in half precision. None: no factor.
name (str | None): The name. None: one that is made from the class.
output_padding (int | tuple[int, ...] | None): Number of positions that are added to the
    outputs along each spatial axis, below the stride. None: the least that fits.
padding (str): `"valid"` for no padding, or `"same"` for zeros around the inputs, with
    which the outputs have the inputs' size if strides are 1.
pointwise_constraint (str | Constraint | None): Function that is applied to the
    pointwise kernel after each update.
pointwise_initializer (str | Initializer): Initializer of the pointwise kernel.
pointwise_regularizer (str | Regularizer | None): Penalty on the pointwise kernel, which
    is added to the loss.
quantization_config (QuantizationConfig | None): Not supported, for a quantized W has no
    gradient: leave it at None.
strides (int | tuple[int, ...]): Step of the window along each spatial axis, or one
    integer for all. Above 1 they need a dilation rate of 1.
trainable (bool): Whether the weights are trained. A frozen layer still sends the error
    down, through V.
units (int): Number of units, the size of the outputs' last axis.
use_bias (bool): Whether the layer has a bias b.
use_ema (bool): Whether to keep an exponential moving average of the weights, and to
    replace the weights by it.
"""

# Where the arguments belong in a docstring without a section of them.
_NEXT = re.compile(r"^(Input shape|Call arguments|Raises|Attributes|Source|Alias|>>>)")
_ENTRY = re.compile(r"(?P<name>\*{0,2}\w+)(?: \((?P<type>.+?)\))?: *(?P<text>.*)")
_WRAP = textwrap.TextWrapper(
    width=76,
    initial_indent=" " * 4,
    subsequent_indent=" " * 8,
    break_long_words=False,
    break_on_hyphens=False,
)


def keywords(base: type) -> list[Parameter]:
    """The named arguments of a Keras base class, as keyword-only ones."""
    for each in base.__mro__:
        if "__init__" in vars(each):
            _, *arguments = inspect.signature(
                vars(each)["__init__"]
            ).parameters.values()
            named = [
                argument.replace(kind=Parameter.KEYWORD_ONLY)
                for argument in arguments
                if argument.kind
                not in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
            ]
            if named:
                return named
    return []


def name_only(default: str | None = None) -> list[Parameter]:
    """The name, for a layer whose other arguments of a Keras layer are set for it."""
    return [Parameter("name", Parameter.KEYWORD_ONLY, default=default)]


def extended(signature: Signature, more: list[Parameter]) -> Signature:
    """A signature whose `**kwargs` are the arguments that it lacks of others."""
    own = [p for p in signature.parameters.values() if p.kind != p.VAR_KEYWORD]
    names = {p.name for p in own}
    return signature.replace(
        parameters=[*own, *(p for p in more if p.name not in names)]
    )


def described(doc: str, signature: Signature, twin: type | None = None) -> str:
    """A docstring with a description of every argument of a signature.

    Args:
        doc: The docstring. Descriptions in its section of arguments come first.
        signature: The signature; its order is that of the descriptions.
        twin: A Keras class whose descriptions come last.
    """
    before, own, after = _split(inspect.cleandoc(doc))
    stock = _split(inspect.getdoc(twin) or "")[1] if twin else {}
    known = stock | _entries(SHARED.splitlines()) | own
    lines = ["Args:"]
    for parameter in signature.parameters.values():
        kind, text = known.get(parameter.name, ("", "An argument of Keras."))
        if parameter.default is not Parameter.empty and "Defaults to" not in text:
            text = f"{text.rstrip('.')}. Defaults to `{_literal(parameter.default)}`."
        kind = f" ({kind})" if kind else ""
        lines.append(_WRAP.fill(f"{parameter.name}{kind}: {text}"))
    return "\n\n".join(filter(None, [before, "\n".join(lines), after])) + "\n"


def _literal(value: object) -> str:
    """A default value as the documentation writes it."""
    return f'"{value}"' if isinstance(value, str) else repr(value)


def describe(cls: type, more: list[Parameter]) -> None:
    """Gives a class that passes `**kwargs` to a Keras base its full signature.

    Its docstring gets the descriptions that it lacks.

    Args:
        cls: The class.
        more: The arguments that it takes by `**kwargs`.
    """
    signature = extended(inspect.signature(cls), more)
    set_signature(cls, signature)
    if vars(cls).get("__doc__"):
        cls.__doc__ = described(cls.__doc__ or "", signature)


def set_signature(cls: Any, signature: Signature) -> None:
    """Sets the signature that `inspect` and `help` show for a class.

    That of its `__init__` stays, since Keras makes configs by it.
    """
    constructor = inspect.getattr_static(cls, "__init__")
    cls.__signature__ = _Signature(signature, constructor)


class _Signature:
    """A signature that a subclass with a constructor of its own doesn't inherit."""

    def __init__(self, signature, constructor):
        self._signature = signature
        self._constructor = constructor

    def __get__(self, instance, owner):
        if inspect.getattr_static(owner, "__init__") is not self._constructor:
            raise AttributeError  # `inspect` then reads the constructor
        return self._signature


def _split(doc: str) -> tuple[str, dict[str, tuple[str, str]], str]:
    """The text before the arguments, their types and descriptions, and the rest."""
    lines = doc.splitlines()
    if "Args:" in lines:
        start = lines.index("Args:")
        end = start + 1
        while end < len(lines) and (lines[end][:1] == " " or not lines[end]):
            end += 1
        section = textwrap.dedent("\n".join(lines[start + 1 : end]))
        entries = _entries(section.splitlines())
    else:
        entries = {}
        start = end = next(
            (n for n, line in enumerate(lines) if _NEXT.match(line)), len(lines)
        )
    return "\n".join(lines[:start]).strip(), entries, "\n".join(lines[end:]).strip()


def _entries(lines: list[str]) -> dict[str, tuple[str, str]]:
    """The type and the description of each argument, by name."""
    entries: dict[str, tuple[str, str]] = {}
    name = ""
    for line in lines:
        entry = _ENTRY.match(line.removeprefix(" "))  # Keras indents some by one more
        if entry:
            name = entry["name"]
            entries[name] = entry["type"] or "", entry["text"]
        elif name and line.strip():
            kind, text = entries[name]
            entries[name] = kind, f"{text} {line.strip()}"
    return entries


LAYER = keywords(keras.layers.Layer)
OPTIMIZER = keywords(keras.optimizers.Optimizer)
