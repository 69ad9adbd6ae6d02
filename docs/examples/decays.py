"""A table of your own: rules and weight decay."""

from keras_asymbp.benchmarks.tables.experiments import Column, Experiment

experiment = Experiment(
    name="decays",
    title="Does feedback need weight decay?",
    table="no printed table",
    columns=tuple(
        Column(f"{rule} {decay:g}", rule=rule, setting=1, weight_decay=decay)
        for rule in ("BP", "KP")
        for decay in (0, 1e-3)
    ),
    baseline="BP 0",
)
