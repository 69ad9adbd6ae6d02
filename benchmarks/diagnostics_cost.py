"""Measures what the diagnostics cost, in training steps.

    python -m benchmarks.diagnostics_cost --json FILE

Each is measured on two batches of 100, in turn with compiled training steps on such a
batch. A figure is the median of the rounds, without the first call, which may compile.
`--read FILE` prints the table of recorded figures.
"""

import statistics
import time

import numpy as np
from absl import flags
from markupsafe import Markup

from benchmarks import measurements
from benchmarks.busy import busy_cores
from keras_asymbp import diagnostics, metrics, models
from keras_asymbp.benchmarks.commands import program
from keras_asymbp.benchmarks.escaping import markdown

_ROUNDS = flags.DEFINE_integer("rounds", 5, "Measurements of each figure.", 1)
_JSON = flags.DEFINE_string("json", None, "File for the figures.")
_READ = flags.DEFINE_string("read", None, "File of recorded figures to print.")

# By name: the network, and the shape of an example.
NETWORKS = {
    "MLP 784-512-512-10": (
        lambda: models.mlp("brSF", hidden_units=(512, 512), input_shape=(784,)),
        (784,),
    ),
    "Table 1's MNIST network": (
        lambda: models.paper_mnist(feedback="brSF"),
        (28, 28, 1),
    ),
}
MEASURES = {
    "alignment": lambda model, batches: metrics.alignment(model),
    "gradient_angles": metrics.gradient_angles,
    "diagnose": diagnostics.diagnose,
    "similarity": lambda model, batches: diagnostics.similarity(model, model, batches),
}
BATCH = 100


def main() -> None:
    program.start(_run, "python -m benchmarks.diagnostics_cost", __doc__)


def _run():
    if _READ.value:
        print(table(measurements.read(_READ.value)["rows"]))
        return
    rows = [measured(name, *NETWORKS[name], _ROUNDS.value) for name in NETWORKS]
    print(table(rows))
    if _JSON.value:
        measurements.write(measurements.describe() | {"rows": rows}, _JSON.value)


def measured(name, make, shape, rounds):
    """Returns the seconds of a step and of each measure."""
    model = make()
    model.compile("sgd", "sparse_categorical_crossentropy", jit_compile=False)
    generator = np.random.default_rng(0)
    batches = [
        (
            generator.normal(size=(BATCH, *shape)).astype("float32"),
            generator.integers(10, size=BATCH),
        )
        for _ in range(2)
    ]
    model.train_on_batch(*batches[0])
    first = {key: timed(call, model, batches) for key, call in MEASURES.items()}
    steps, found = [], {key: [] for key in MEASURES}
    for _ in range(rounds):
        for key, call in MEASURES.items():
            steps.append(timed(model.train_on_batch, *batches[0]))
            found[key].append(timed(call, model, batches))
    return {
        "network": name,
        "other_busy_cores": round(busy_cores(), 2),
        "step": round(statistics.median(steps), 5),
        "first": {key: round(value, 5) for key, value in first.items()},
        "later": {k: round(statistics.median(v), 5) for k, v in found.items()},
    }


def timed(function, *arguments):
    """Returns the seconds of a call."""
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def table(rows):
    """Returns the figures as a table: seconds of a step, and measures in steps."""
    names = [Markup(f"`{name}`") for name in MEASURES]
    return markdown.table(
        ["network", "a step, ms", *names, Markup("first `diagnose`, s")],
        (
            (
                row["network"],
                f"{1000 * row['step']:.0f}",
                *(f"{row['later'][name] / row['step']:.1f}" for name in MEASURES),
                f"{row['first']['diagnose']:.1f}",
            )
            for row in rows
        ),
    )


if __name__ == "__main__":
    main()
