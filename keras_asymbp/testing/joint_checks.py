"""Checks of many pairs of layer and rule at once, which share slow steps."""

import importlib.util
import os
import subprocess
import sys
import tempfile

import keras
import numpy as np

from keras_asymbp.testing.cases import CASES
from keras_asymbp.testing.registry import blaming, joint_check
from keras_asymbp.testing.tools import (
    assert_equal,
    gradients_of,
    labels_of,
    make_batch,
    make_inputs,
    make_model,
    own_weights,
    rule_name,
)

_READER = """
import sys
sys.modules["keras_asymbp"] = None  # from here on, its import is an error
import numpy, tensorflow
for name in sys.argv[1:]:
    served = tensorflow.saved_model.load(name)
    outputs = served.serve(numpy.load(name + ".npy"))
    if not isinstance(outputs, dict):
        outputs = {"rule_0": outputs}
    numpy.savez(name + ".npz", **{k: v.numpy() for k, v in outputs.items()})
"""


def check_export(combinations):
    """An exported model has the same outputs, no feedback, and needs none of our code.

    A process that can't import keras_asymbp reads it.
    """
    expected = {}
    groups = by_layer(combinations)
    with tempfile.TemporaryDirectory() as folder:
        for case, rules in groups:
            with blaming("export", case, *rules):
                expected[case.layer] = _export(case, rules, f"{folder}/{case.layer}")
        done = subprocess.run(
            [sys.executable, "-c", _READER, *expected],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            capture_output=True,
            text=True,
            check=False,
        )
        for case, rules in groups:
            with blaming("export", case, *rules):
                assert os.path.exists(f"{folder}/{case.layer}.npz"), (
                    f"the reading process failed: {done.stderr[-2000:]}"
                )
                read = np.load(f"{folder}/{case.layer}.npz")
                for number, rule in enumerate(rules):
                    np.testing.assert_allclose(
                        read[f"rule_{number}"],
                        expected[case.layer][f"rule_{number}"],
                        rtol=1e-5,
                        atol=1e-6,
                        err_msg=f"the exported model's output, {rule_name(rule)}",
                    )


if importlib.util.find_spec("tensorflow"):  # Keras exports with it on any backend
    joint_check(check_export)


def _export(case, rules, path):
    """Exports a model, checks its variables, and returns its outputs by rule."""
    import tensorflow as tf

    model, layers = make_model(case, *rules)
    x, y = make_batch(model)
    xs = make_inputs(case)
    model.compile(keras.optimizers.SGD(0.1), "mse", run_eagerly=True)
    model.train_on_batch(x, y)
    before = [gradients_of(layer, xs, own_weights(layer)) for layer in layers]
    model.export(path, verbose=False)
    for layer, gradients, rule in zip(layers, before, rules, strict=True):
        labels = [
            f"{n}, after the export, {rule_name(rule)}" for n in labels_of(layer, xs)
        ]
        assert_equal(gradients_of(layer, xs, own_weights(layer)), gradients, labels)
    own = [weight for part in model.layers for weight in own_weights(part)]
    shapes = sorted(tuple(weight.shape) for weight in own)
    stored: dict[str, list] = {}  # Keras lists the variables twice
    for name, shape in tf.train.list_variables(f"{path}/variables/variables"):
        if name != "_CHECKPOINTABLE_OBJECT_GRAPH":
            stored.setdefault(name.split("/")[0], []).append(tuple(shape))
    for each in stored.values():
        assert sorted(each) == shapes, (
            "the exported variables are not the layers' weights. "
            f"Expected shapes: {shapes}. Received: {sorted(each)}"
        )
    assert stored
    np.save(f"{path}.npy", x)
    outputs = model(x)
    return outputs if isinstance(outputs, dict) else {"rule_0": outputs}


def by_layer(combinations):
    """Returns each case once, with all of its rules."""
    rules: dict[str, list] = {}
    for case, rule in combinations:
        rules.setdefault(case.layer, []).append(rule)
    return [(CASES[name], each) for name, each in rules.items()]
