"""Measures the library on JAX: KERAS_BACKEND=jax python -m benchmarks.jax_step

Step: the time of a compiled training step with each rule, as a ratio to the same
network of stock Keras layers on the same device, one step at a time and as a
`lax.scan` of all steps. Contestants take turns; a ratio is the median over rounds.

Bits: whether M, and V of each rule, are equal on the CPU and on the accelerator.

It needs neither TensorFlow nor a data set: inputs are noise.
"""

import statistics
import time

import jax
import keras
import numpy as np
from absl import flags

from benchmarks import measurements
from keras_asymbp import AsymConv2D, AsymDense, RedrawFeedback, feedbacks, random
from keras_asymbp.benchmarks.commands import program

CONTESTANTS = ("BP", "uSF", "frSF", "brSF")
_JSON = flags.DEFINE_string("json", None, "File for the figures.")
_ROUNDS = flags.DEFINE_integer("rounds", 7, "Measurements of each contestant.", 1)
_STEPS = flags.DEFINE_integer("steps", 300, "Steps of a measurement.", 1)
_NETWORKS = flags.DEFINE_multi_enum(
    "network", ["mnist", "cifar"], ["mnist", "cifar"], "Networks of Table 1."
)
_RULES = flags.DEFINE_multi_enum(
    "rule", CONTESTANTS, CONTESTANTS, "Rules to compare with stock Keras."
)
BATCH = 100


def make_network(name: str, rule: str | None) -> keras.Sequential:
    """Returns a network of Table 1; of stock Keras layers if `rule` is None."""
    keras.utils.set_random_seed(0)
    conv, dense = keras.layers.Conv2D, keras.layers.Dense
    given = {}
    if rule is not None:
        conv, dense, given = AsymConv2D, AsymDense, {"feedback": rule}
    layers = keras.layers
    if name == "mnist":
        parts = [
            keras.Input((28, 28, 1)),
            conv(20, 5, activation="relu", **given),
            layers.MaxPool2D(2),
            conv(50, 5, activation="relu", **given),
            layers.MaxPool2D(2),
            layers.Flatten(),
            dense(500, activation="relu", **given),
        ]
    else:
        parts = [keras.Input((32, 32, 3))]
        for filters, pool in (
            (32, layers.MaxPool2D),
            (64, layers.AveragePooling2D),
            (64, layers.AveragePooling2D),
        ):
            parts.append(conv(filters, 5, padding="same", activation="relu", **given))
            parts.append(pool(3, 2, "same"))
        parts += [layers.Flatten(), dense(128, activation="relu", **given)]
    network = keras.Sequential([*parts, dense(10, **given)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(keras.optimizers.SGD(1e-6, momentum=0.9), loss, jit_compile=True)
    return network


class Contestant:
    """A network in training, with its compiled step and its scan of steps."""

    def __init__(self, name, rule, steps):
        network = make_network(name, rule)
        x = np.random.default_rng(0).normal(size=(BATCH, *network.input_shape[1:]))
        y = np.arange(BATCH) % 10
        started = time.perf_counter()
        # It adds the redraw to `train_step`, and creates the metrics' variables.
        network.fit(x, y, BATCH, verbose=0, callbacks=[RedrawFeedback()])
        groups = (
            network.trainable_variables,
            network.non_trainable_variables,
            network.optimizer.variables,
            network.metrics_variables,
        )
        self.state = tuple([jax.numpy.array(v.value) for v in g] for g in groups)
        self.data = jax.numpy.asarray(x, "float32"), jax.numpy.asarray(y)

        def step(state, data):
            return tuple(map(list, network.train_step(state, data)[1]))

        def scan(state, data):
            return jax.lax.scan(
                lambda state, _: (step(state, data), None), state, length=steps
            )[0]

        self._step = jax.jit(step, donate_argnums=0)
        self._scan = jax.jit(scan, donate_argnums=0)
        self._steps = steps
        self.run("step")
        self.run("scan")
        self.seconds_to_start = time.perf_counter() - started

    def run(self, way):
        """Runs all steps; returns the seconds of one."""
        started = time.perf_counter()
        if way == "scan":
            self.state = self._scan(self.state, self.data)
        else:
            for _ in range(self._steps):
                self.state = self._step(self.state, self.data)
        jax.block_until_ready(self.state)
        return (time.perf_counter() - started) / self._steps


def measure(name: str) -> dict:
    """Returns microseconds of a step, and the ratios to stock Keras."""
    contestants = {
        each: Contestant(name, None if each == "stock" else each, _STEPS.value)
        for each in ("stock", *_RULES.value)
    }
    ways = "step", "scan"
    seconds: dict = {f"{way} {each}": [] for way in ways for each in contestants}
    for _ in range(_ROUNDS.value):
        for each, contestant in contestants.items():
            for way in ways:
                seconds[f"{way} {each}"].append(contestant.run(way))
    stock = {way: np.array(seconds[f"{way} stock"]) for way in ways}
    return {
        "microseconds": {
            key: round(1e6 * statistics.median(times), 1)
            for key, times in seconds.items()
        },
        "ratio": {
            key: round(float(np.median(np.array(times) / stock[key.split()[0]])), 3)
            for key, times in seconds.items()
        },
        "seconds_to_start": {
            each: round(contestant.seconds_to_start, 1)
            for each, contestant in contestants.items()
        },
    }


def arrays() -> dict[str, np.ndarray]:
    """Returns M, normal numbers, and V of every rule, of the default device."""
    kernel = np.random.default_rng(0).normal(size=(300, 200)).astype("float32")
    found = {
        "M": random.signed_magnitudes((431, 1000), 2**31 - 1, 10**6, 0.25),
        "normal": random.normal((500, 500), 3, 0.05),
        "fingerprint": random.fingerprint(keras.ops.array(kernel)),
    }
    for name, rule in feedbacks.RULES.items():
        if rule.call is feedbacks.Feedback.call:
            continue
        keras.utils.set_random_seed(1)
        layer = AsymDense(200, feedback=rule())
        layer.build((None, 300))
        layer.kernel.assign(kernel)
        layer.redraw_feedback()
        found[f"V of {rule.alias or name}"] = layer.feedback_kernel
    return {key: np.asarray(value) for key, value in found.items()}


def main() -> None:
    program.start(_run, "python -m benchmarks.jax_step", __doc__)


def _run():
    device = jax.devices()[0]
    figures = measurements.describe(
        device=device.device_kind,
        precision=str(jax.config.jax_default_matmul_precision or "the default"),
        rounds=_ROUNDS.value,
    )
    with jax.default_device(jax.devices("cpu")[0]):
        on_cpu = arrays()
    here = arrays()
    figures["equal_bits"] = {k: bool(np.array_equal(here[k], on_cpu[k])) for k in here}
    for name in _NETWORKS.value:
        figures[name] = measure(name)
    print(measurements.text(figures), end="")
    if _JSON.value:
        measurements.write(figures, _JSON.value)


if __name__ == "__main__":
    main()
