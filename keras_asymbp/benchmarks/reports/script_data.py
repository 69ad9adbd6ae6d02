"""The data of the script of `report.html`: plain, JSON-able and short."""

from collections.abc import Mapping, Sequence
from typing import Any

from keras_asymbp.benchmarks.escaping import links
from keras_asymbp.benchmarks.pictures.looks import Look
from keras_asymbp.benchmarks.reports import words
from keras_asymbp.benchmarks.results.assessment import Assessment
from keras_asymbp.benchmarks.results.measures import MEASURES
from keras_asymbp.benchmarks.results.verdicts import VERDICTS
from keras_asymbp.benchmarks.tables import reproduce
from keras_asymbp.benchmarks.tables.experiments import Column, Experiment
from keras_asymbp.benchmarks.tables.plan import Setup


def of_setup(setup: Setup, label: str, assessment: Assessment) -> dict[str, Any]:
    """A setup with its verdicts and its agreement with the printed tables."""
    return {
        "label": label,
        "paper": setup.dataset.paper,
        "seeds": list(setup.seeds),
        "flags": reproduce.setup_flags(setup),
        "examples": setup.test_examples,
        # A digit for each claim: the number of its verdict.
        "verdicts": "".join(
            str(VERDICTS.index(finding.verdict)) for finding in assessment.findings
        ),
        "basis": words.basis(assessment),
        "agreement": _agreement(assessment.agreements),
    }


def _agreement(agreements):
    """The agreement with all printed tables together; None without any."""
    if not agreements:
        return None
    last = agreements[-1]
    return [last.place, last.models, last.correlation, last.low, last.high]


def of_look(look: Look) -> list[str | float]:
    """What a mark is drawn from, in the order that `marks.js` expects."""
    return [look.color, look.on_dark, look.marker, look.line, look.fill, look.shade]


def of_trial(trial: Mapping[str, Any]) -> dict[str, Any]:
    """A trial with its learning curves and, if recorded, alignment and diagnostics."""
    settings, result = trial["settings"], trial["result"]
    rows = result["curves"]
    data = {
        "model": trial["model"],
        "dataset": settings["dataset"],
        "seed": settings["seed"],
        "rate": settings["learning_rate"],
        "batches": settings["batch_schedule"],
        "error": percent(100 * result["best_error"]),
        "epoch": result["best_epoch"],
        "diverged": result["diverged"],
        "seconds": trial["seconds"],
        "file": trial["file"].rpartition("/")[2],
        "href": links.to_file(trial["file"]),
        "train": [percent(100 * row["train_error"]) for row in rows],
        "test": [percent(100 * row["test_error"]) for row in rows],
    }
    if alignment := result.get("alignment"):
        data["alignment"] = [
            {"layer": layer, **{name: _digits(angle) for name, angle in angles.items()}}
            for layer, angles in alignment.items()
        ]
    if diagnostics := result.get("diagnostics"):
        # A layer's name and its measures, in the order of `MEASURES`.
        data["diagnostics"] = [
            [layer, *(_digits(found[name]) for name in MEASURES)]
            for layer, found in diagnostics.items()
        ]
    return data


def of_experiment(
    experiment: Experiment, columns: Sequence[Column], rows: list[list[Any]]
) -> dict[str, Any]:
    """An experiment.

    Args:
        experiment: The experiment.
        columns: Its models.
        rows: The number of each setup, with those of its figures.
    """
    concordance = [
        None if column.flip_probability is None else 100 * (1 - column.flip_probability)
        for column in columns
    ]
    return {
        "name": experiment.name,
        "title": experiment.title,
        "signs": experiment.signs,
        # In percent; None if the experiment does not vary it.
        "concordance": concordance if len(set(concordance) - {None}) > 1 else None,
        "rows": rows,
    }


def percent(value: float | None) -> float | None:
    """A figure in percent, with as many digits as the page needs."""
    return None if value is None else round(value, 3)


def _digits(value):
    return None if value is None else float(f"{value:.4g}")
