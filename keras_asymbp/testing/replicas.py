"""The check of training on several replicas, which TensorFlow has."""

import functools

import keras
import tensorflow as tf

from keras_asymbp.callbacks import MirrorFeedback, RedrawFeedback
from keras_asymbp.testing.joint_checks import by_layer
from keras_asymbp.testing.processors import two_cpus
from keras_asymbp.testing.registry import blaming, joint_check
from keras_asymbp.testing.tools import (
    assert_close,
    assert_equal,
    feedback_kernels,
    make_batch,
    make_model,
    pairs_of,
    rule_name,
)


def check_replicas(combinations):
    """Training on two replicas (`MirroredStrategy`) equals that on one; they share M.

    Raises:
        RuntimeError: Without two logical CPUs; see `use_two_cpus`.
    """
    if len(two_cpus()) < 2:
        raise RuntimeError(
            "Check 'replicas' needs two logical CPUs: call "
            "`keras_asymbp.testing.use_two_cpus()` before anything else."
        )
    for case, rules in by_layer(combinations):
        with blaming("replicas", case, *rules):
            results = []
            for strategy in (
                tf.distribute.get_strategy(),
                _two_replicas(),
            ):
                with strategy.scope():
                    model, layers = make_model(case, *rules)
                    model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=False)
                x, y = make_batch(model)
                mirror = MirrorFeedback(steps=2, steps_per_update=1)
                callbacks = [RedrawFeedback(), mirror]
                model.fit(x, y, 2, verbose=0, shuffle=False, callbacks=callbacks)
                for rule, layer in zip(rules, layers, strict=True):
                    for variable in layer.variables:
                        each = strategy.experimental_local_results(variable.value)
                        assert_equal(
                            each,
                            [each[0]] * len(each),
                            f"{variable.path} of the replicas, {rule_name(rule)},",
                        )
                trained = [weight.numpy() for weight in model.trainable_weights]
                results.append(
                    trained + [v for part in layers for v in feedback_kernels(part)]
                )
            paths = [
                f"{w.path} of one and two replicas" for w in model.trainable_weights
            ]
            for rule, layer in zip(rules, layers, strict=True):
                paths += [
                    f"V of one and two replicas, {rule_name(rule)}"
                    for _ in pairs_of(layer)
                ]
            assert_close(results[1], results[0], paths)


if keras.backend.backend() == "tensorflow":
    joint_check(check_replicas)


@functools.cache
def _two_replicas():
    # Shared: TensorFlow confuses the reductions of several strategies.
    return tf.distribute.MirroredStrategy([device.name for device in two_cpus()])
