"""A training step in asymmetric layers, and by Batch Manhattan, against stock Keras."""

from collections.abc import Iterator

from benchmarks.speed import workloads
from benchmarks.speed.measure import Options, interleaved
from keras_asymbp import BatchManhattan

TITLE = "Step time against stock Keras"
# Each rule, and its goal as a multiple of stock Keras's time.
RULES = {"uSF": 1.03, "NuSF": 1.03, "frSF": 1.03, "RndF": 1.03, "brSF": 1.08}
SETTINGS = {f"Batch Manhattan {setting}": setting for setting in range(4)}
SETTINGS_GOAL = 1.05


def rows(options: Options) -> Iterator[dict]:
    """A row for each network and rule, and for each setting on stock layers."""
    for name in options.architectures:
        data = workloads.examples(name, workloads.STEPS[name] * workloads.BATCH)

        def fit(model, optimizer, data=data):
            return workloads.Fit(model, optimizer, data, options)

        contestants = {"stock": fit(workloads.stock(name), workloads.sgd())}
        for rule in RULES:
            contestants[rule] = fit(workloads.asymmetric(name, rule), workloads.sgd())
        for title, setting in SETTINGS.items():
            optimizer = BatchManhattan(workloads.RATE, momentum=0.9, setting=setting)
            contestants[title] = fit(workloads.stock(name), optimizer)
        result = interleaved(contestants, options.rounds)
        yield result.row(
            result.seconds("stock"), case=name, name="stock Keras, SGD", unit="s a step"
        )
        for contestant in [*RULES, *SETTINGS]:
            yield result.row(
                result.ratios(contestant, "stock"),
                case=name,
                name=contestant,
                unit="x stock Keras",
                goal=RULES.get(contestant, SETTINGS_GOAL),
                sense="at most",
            )
