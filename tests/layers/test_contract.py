"""The contract of every layer with every rule, new ones included.

The checks are those of `keras_asymbp.testing`, which users run on their own rules. A
new layer needs a line in its `CASES`, a new rule nothing.
"""

import inspect

import keras
import pytest

from keras_asymbp import feedbacks, testing
from keras_asymbp.layers import LAYERS

RULES = [
    # By alias or class name, without abstract bases.
    *(
        rule.alias or name
        for name, rule in feedbacks.RULES.items()
        if rule.call is not feedbacks.Feedback.call
    ),
    *(
        f"{alias}-25"
        for alias, rule in feedbacks.ALIASES.items()
        if issubclass(rule, feedbacks.RandomSignConcordant)
    ),
]
COMBINATIONS = [(layer, rule) for layer in testing.CASES for rule in RULES]


ON_JAX = keras.backend.backend() == "jax"


# Checks in which each pair of layer and rule is traced several times.
TRACED = ("control_flow", "conversion", "decorated", "export")
# In these, under `modes` and on replicas most layers meet one rule of each kind: fixed,
# redrawn, random, trained, mirrored. A dense layer and a convolution meet all.
KINDS = ("uSF", "brSF", "frSF", "KP", "WM")


def is_checked(layer, rule, check):
    both = ("AsymDense", "AsymConv2D")
    costly = check in (*TRACED, "modes", "replicas")
    return not costly or layer in both or rule in KINDS


def is_fast(layer, rule, check=None):
    if ON_JAX:  # which compiles each operation for each shape
        if check in ("control_flow", "fit", "precision"):
            return layer == "AsymDense" or (layer, rule) == ("AsymConv2D", "brSF")
        return layer == "AsymDense" or rule == "brSF"
    if layer == "AsymDense" or (layer == "AsymConv2D" and check not in TRACED):
        return True
    # The other layers with one rule whose state changes and one with fixed state; only
    # the first is compiled.
    return rule == "brSF" or (rule == "frSF" and check not in (*TRACED, "fit", "modes"))


def pairs(combinations):
    return [(testing.CASES[layer], rule) for layer, rule in combinations]


each_layer = pytest.mark.parametrize("layer", LAYERS)


def test_every_layer_has_its_case():
    assert LAYERS.keys() == testing.CASES.keys()
    for name, case in testing.CASES.items():
        assert case.layer == name


@each_layer
def test_signature_is_that_of_the_keras_layer_and_feedback(layer):
    ours = dict(inspect.signature(LAYERS[layer]).parameters)
    twin = getattr(keras.layers, layer.removeprefix("Asym"))
    assert LAYERS[layer].twin() is twin
    feedback = ours.pop("feedback")
    stock = dict(inspect.signature(twin).parameters)
    del stock["kwargs"]  # the keywords of every Keras layer
    assert list(ours.items())[: len(stock)] == list(stock.items())
    base = dict(inspect.signature(keras.layers.Layer.__init__).parameters)
    assert ours == {name: base[name] for name in base if name in ours} | stock
    assert {"dtype", "name", "trainable"} <= ours.keys()
    assert feedback.default == "uSF"
    assert feedback.kind is inspect.Parameter.KEYWORD_ONLY


@pytest.mark.parametrize(
    ("check", "layer", "rule"),
    [
        pytest.param(
            check, *each, marks=() if is_fast(*each, check) else pytest.mark.slow
        )
        for check in testing.CHECKS
        for each in COMBINATIONS
        if is_checked(*each, check)
    ],
)
def test_contract(check, layer, rule):
    testing.CHECKS[check](testing.CASES[layer], rule)


def test_exported_models_need_none_of_our_code():
    testing.JOINT_CHECKS["export"](
        pairs(each for each in COMBINATIONS if is_fast(*each, "export"))
    )


@pytest.mark.slow
def test_every_exported_model_needs_none_of_our_code():
    testing.JOINT_CHECKS["export"](
        pairs(
            each
            for each in COMBINATIONS
            if is_checked(*each, "export") and not is_fast(*each, "export")
        )
    )


@pytest.mark.skipif(ON_JAX, reason="JAX has no replicas")
@pytest.mark.slow
def test_two_replicas_equal_one(run_python):
    # Two logical CPUs need a separate process.
    checked = [each for each in COMBINATIONS if is_checked(*each, "replicas")]
    code = f"""if True:
        from keras_asymbp import testing
        testing.use_two_cpus()
        testing.JOINT_CHECKS["replicas"](
            [(testing.CASES[layer], rule) for layer, rule in {checked}]
        )
    """
    run_python(code, timeout=900)
