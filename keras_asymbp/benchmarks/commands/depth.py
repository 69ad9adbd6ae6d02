"""Trains each rule on ever deeper networks: how far does it carry the error down?

    keras-asymbp depth

trains plain and residual networks of 2 to 20 layers on the MNIST subset that is part of
the package, and writes depth.png, depth.svg, depth.md and depth.csv into the results
folder: error, and alignment with backpropagation, against depth. Finished trials are
kept there; the same command again goes on where it was stopped.
"""

import dataclasses

from absl import flags

from keras_asymbp.benchmarks.commands import program
from keras_asymbp.benchmarks.commands.flags import (
    Training,
    at_least_one,
    distinct,
    integer,
)
from keras_asymbp.benchmarks.depth import study
from keras_asymbp.benchmarks.errors import UsageError, unknown
from keras_asymbp.benchmarks.networks import FAMILIES
from keras_asymbp.benchmarks.tables import experiments


def main() -> None:
    """The command line; ends the process with its exit code."""
    # Here, and not at import: other commands have flags of these names.
    training = Training("results-depth")
    families = flags.DEFINE_list(
        "networks",
        list(FAMILIES),
        f"Networks, separated by commas, of {', '.join(FAMILIES)}.",
    )
    depths = flags.DEFINE_list(
        "depths",
        list(map(str, study.DEPTHS)),
        "How many layers with weights they have, separated by commas.",
    )
    models = flags.DEFINE_list(
        "models",
        None,
        "Models, separated by commas: a rule alone, or with +BN+BM; by default all.",
    )
    batches = flags.DEFINE_integer(
        "alignment_batches",
        2,
        "On how many training batches gradients are compared with backpropagation's.",
    )
    program.start(
        lambda: _run(
            *(training, families.value, depths.value, models.value),
            at_least_one(batches),
        ),
        {"__doc__": __doc__, **locals(), **vars(training)},
        stopped=(
            "stopped; finished trials are kept, the same command goes on from there"
        ),
    )


def _run(training, families, depths, models, alignment_batches) -> int:
    networks = _networks(families, depths)
    protocol = dataclasses.replace(
        training.protocol(), alignment_batches=alignment_batches
    )
    execution = training.execution()
    seeds = training.seeds()
    rows = training.rows()
    if len(rows) > 1:
        raise UsageError(
            f"--datasets names {len(rows)} data sets: the depth study takes one"
        )
    ((_, columns),) = experiments.select([experiments.DEPTH], models)
    if training.learning_rates_said:
        columns = tuple(dataclasses.replace(c, learning_rates=None) for c in columns)
    ((dataset, version),) = rows
    plans = study.plans(
        networks, columns, dataset, version, protocol, training.preset, seeds
    )
    for plan in plans:
        plan.setup.protocol.check(dataset)
    if training.dry:
        print(training.describe(plans, execution))
        return 0
    # A package that is missing is named before anything is trained.
    import matplotlib  # noqa: F401
    import rich.console

    command = program.typed("keras_asymbp.benchmarks.depth")
    outcome = training.run(plans, execution, rich.console.Console(), command)
    results, failed = outcome.results, bool(outcome.failures)
    runs = study.runs(plans, results)
    place = "no picture"
    if runs:
        print(study.tables(runs), end="")
        if program.write(results, _write, runs, results, failed=failed):
            place = f"picture: {results.folder / 'depth.png'}"
    print(f"{outcome.summary}; {place}")
    return outcome.exit_code()


def _write(runs, results):
    import matplotlib

    from keras_asymbp.benchmarks.depth import picture
    from keras_asymbp.benchmarks.reports import rows
    from keras_asymbp.benchmarks.results.atomic import write_atomically

    folder = results.folder
    write_atomically(folder / "depth.csv", study.text(runs))
    write_atomically(folder / "depth.md", study.tables(runs))
    write_atomically(folder / "results.csv", rows.text(results.trials()))
    figure = picture.draw(runs)
    figure.savefig(folder / "depth.png", dpi=150)
    # The same picture is the same file.
    with matplotlib.rc_context({"svg.hashsalt": "depth"}):
        figure.savefig(folder / "depth.svg", metadata={"Date": None})


def _networks(families, depths) -> list[tuple[str, int]]:
    """Family and depth of each network: of a family, those depths that it has."""
    for family in families:
        if family not in FAMILIES:
            raise unknown("family of networks", family, FAMILIES)
    numbers = distinct(integer("depth", text) for text in depths)
    if not families or not numbers:
        raise UsageError("--networks or --depths is empty: leave it out for all")
    known = {d for family in families for d in FAMILIES[family].depths}
    for number in numbers:
        if number not in known:
            raise unknown("depth", str(number), map(str, sorted(known)))
    return [
        (family, number)
        for family in distinct(families)
        for number in numbers
        if number in FAMILIES[family].depths
    ]


if __name__ == "__main__":
    main()
