import dataclasses
import json

import pytest

from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.reports import page as pages
from keras_asymbp.benchmarks.results import inventory
from keras_asymbp.benchmarks.results.measures import MEASURES
from keras_asymbp.benchmarks.results.store import Store
from keras_asymbp.benchmarks.results.table import fill, group
from keras_asymbp.benchmarks.tables import experiments
from keras_asymbp.benchmarks.tables.experiments import Column
from keras_asymbp.benchmarks.tables.plan import Plan, Setup
from keras_asymbp.benchmarks.tables.protocol import PRESETS

MNIST, CIFAR = datasets.get("mnist_5k"), datasets.get("cifar10")


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


def plan_of(name, names=None, dataset=MNIST, seeds=(0,), **protocol):
    (chosen,) = experiments.select([experiments.get(name)], names)
    protocol = dataclasses.replace(PRESETS["quick"], **protocol)
    return Plan(*chosen, Setup(dataset, "1", protocol, "quick", seeds))


@pytest.fixture
def run(store, finish):
    """Stores a plan's trials but the first `missing`; errors: by model or for all."""

    def run(plan, errors=0.5, missing=0, **changes):
        for cell in plan.cells():
            error = errors[cell.column.name] if isinstance(errors, dict) else errors
            for trial in cell.trials()[missing:]:
                finish(store, cell, trial, error, **changes)
        return plan

    return run


def build(store, *plans):
    held = inventory.take(store)
    rows = [fill(plan, store) for plan in held.plans(plans)]
    page = pages.build(group(rows), held)
    json.dumps(page.data, allow_nan=False)
    return page


def names(page):
    return [section.experiment.name for section in page.sections]


def test_a_figure_and_its_runs(run, store):
    plan = run(plan_of("C1", ["SGD", "RndF"]), {"SGD": 0.03, "RndF": 0.1})
    page = build(store, plan)
    sgd, rndf = page.data["figures"]
    assert sgd == {
        **{
            "setup": 0,
            "model": "SGD",
            "rule": "BP",
            "look": 0,
            "error": 3.0,
            "spread": None,
        },
        **{"paper": 0.67, "expected": 5, "trials": [0, 1, 2, 3, 4]},
        "rates": [0.05, 0.005, 0.0005, 5e-05, 5e-06],
        "flags": (
            "--exp C1 --models SGD --learning_rates 0.05,0.005,0.0005,5e-05,5e-06"
        ),
    }
    assert (rndf["rule"], rndf["error"], rndf["paper"]) == ("RndF", 10.0, 1.81)
    (setup,) = page.data["setups"]
    verdicts = setup.pop("verdicts")
    assert setup == {
        **{"label": "mnist_5k", "paper": "MNIST", "seeds": [0], "examples": 1000},
        "flags": "--datasets mnist_5k --preset quick --epochs 6 "
        "--reading unit-he-sum-decay --seeds 0",
        "basis": "1 seed: verdicts rest on 95 % intervals over 1,000 test examples, "
        "and are about these trained networks only.",
        "agreement": None,  # of two models there is none
    }
    by_claim = dict(zip(page.data["claims"], verdicts, strict=True))
    assert by_claim.pop("C1, RndF") == "0"  # holds
    assert set(by_claim.values()) == {"3"}  # not enough results
    trial = page.data["trials"][rndf["trials"][0]]
    stored = page.trials[rndf["trials"][0]]
    assert trial == {
        **{"model": "RndF", "dataset": "mnist_5k", "seed": 0, "rate": 0.05},
        **{"batches": [[0, 100]], "error": 10.0, "epoch": 2, "diverged": False},
        **{"seconds": 1.25, "href": stored["file"]},
        "file": stored["file"].removeprefix("trials/"),
        **{"train": [25.0] * 6, "test": [10.0] * 6},
    }


def test_tables_that_share_a_model_share_its_figure(run, store):
    page = build(store, run(plan_of("A", ["SGD", "NuSF"])), run(plan_of("C1", ["SGD"])))
    assert names(page) == ["A", "C1"]
    assert [row[1] for e in page.data["experiments"] for row in e["rows"]] == [
        *([0, 1], [0])
    ]
    assert len(page.data["trials"]) == page.done == page.expected == 10


def test_other_results_of_the_folder_are_shown(run, store):
    run(plan_of("BM"))
    run(plan_of("A", dataset=CIFAR, train_examples=100, seeds=(1, 2)))
    page = build(store, run(plan_of("C1", ["SGD"])))
    assert names(page) == ["A", "C1", "BM"]
    assert page.labels == ("cifar10", "mnist_5k")
    assert [setup.seeds for setup in page.setups] == [(1, 2), (0,)]
    # A's and BM's own models were run on one data set each; C1 is the command's.
    assert [[row[0] for row in e["rows"]] for e in page.data["experiments"]] == [
        *([0], [1], [1])
    ]
    assert page.problems == ()


def test_the_last_commands_table_is_shown_as_it_is(run, store):
    run(plan_of("C1", seeds=(0, 1)))
    page = build(store, plan_of("C1", ["SGD", "RndF"], seeds=(1,)))
    # What else was run of C1 is shown where else it belongs.
    assert names(page) == ["A", "C1", "C2"]
    section = page.sections[1]
    assert [column.name for column in section.columns] == ["SGD", "RndF"]
    assert page.setups[section.rows[0].setup].seeds == (1,)


def test_a_users_experiment_is_not_shown_twice(run, store):
    plan = plan_of("C1", ["RndF+BM"])
    mine = dataclasses.replace(plan.experiment, name="mine", columns=plan.columns)
    page = build(store, run(dataclasses.replace(plan, experiment=mine)))
    assert names(page) == ["mine"]


def test_setups_have_unique_labels(run, store):
    run(plan_of("BM", seeds=(0, 1)))
    page = build(
        store, run(plan_of("A", epochs=3)), plan_of("A"), plan_of("C1", seeds=(0, 1))
    )
    assert page.labels == (
        "mnist_5k, quick, 3 epochs",
        "mnist_5k, quick, 6 epochs, seed 0",
        "mnist_5k, quick, 6 epochs, seeds 0, 1",
    )
    assert len(page.sections[0].rows) == 2


def test_missing_trials_are_pending(run, store):
    page = build(store, run(plan_of("C1", ["SGD", "RndF"], seeds=(0, 1)), missing=1))
    assert (page.done, page.expected) == (16, 20)
    assert [figure["error"] for figure in page.data["figures"]] == [None, None]
    assert [len(figure["trials"]) for figure in page.data["figures"]] == [8, 8]
    # RndF is C1's and C2's; C1 is enough to show it.
    page = build(store, plan_of("B1"))
    assert names(page) == ["B1", "C1"]
    assert (page.done, page.expected) == (16, 6 * 5 + 8 * 10 - 5)
    assert page.setups[1].seeds == (0, 1)


def test_a_model_that_a_table_lacks_leaves_a_gap(run, store):
    page = build(
        store,
        plan_of("A", ["SGD", "BN"]),
        run(plan_of("A", ["BN", "uSF"], dataset=CIFAR)),
    )
    (section,) = page.sections
    assert [column.name for column in section.columns] == ["SGD", "BN", "uSF"]
    assert page.data["experiments"][0]["rows"] == [[0, [0, 1, None]], [1, [None, 2, 3]]]


def test_sign_concordance(store):
    page = build(store, plan_of("A"), plan_of("B1"), plan_of("B2"), plan_of("C2"))
    found = {e["name"]: e["concordance"] for e in page.data["experiments"]}
    assert found == {
        "A": None,
        "B1": [None, 0, 25, 50, 75, 100],
        "B2": [None, 0, 25, 50, 75, 100],
        "C2": None,
    }


def test_alignment_where_it_is_recorded(store, finish, make_cell):
    cell = make_cell(learning_rates=(0.5, 0.25, 0.125), epochs=2)
    angles = {
        "conv": {"angle": 12.34567, "gradient_angle": 45.0},
        "logits": {"angle": None, "gradient_angle": 0.0},
    }
    measured, diverged, without = cell.trials()
    result = {"best_error": 0.5, "best_epoch": 1, "diverged": False, "curves": []}
    layers = {"<conv>\n": dict.fromkeys(MEASURES, 1.234567e-8) | {"error_rms": None}}
    both = {"alignment": angles, "diagnostics": layers}
    finish(store, cell, measured, 0.5, result=result | both)
    finish(store, cell, diverged, 0.5, result=result | {"alignment": None})
    finish(store, cell, without, 0.5)
    plan = plan_of("A", ["SGD"], learning_rates=(0.5, 0.25, 0.125), epochs=2)
    first, *others = build(store, plan).data["trials"]
    assert first["alignment"] == [
        {"layer": "conv", "angle": 12.35, "gradient_angle": 45.0},
        {"layer": "logits", "angle": None, "gradient_angle": 0.0},
    ]
    values = [None if name == "error_rms" else 1.235e-8 for name in MEASURES]
    (row,) = first["diagnostics"]
    assert row[1:] == values
    assert row[0].startswith("<conv>")
    assert row[0].isprintable()
    assert not any({"alignment", "diagnostics"} & set(trial) for trial in others)


def test_the_depth_study_is_shown_with_its_own_rates(run, store):
    depth = plan_of("Depth", ["BP", "uSF+BN+BM"], architecture="plain-4", epochs=4)
    run(depth, {"BP": 0.1, "uSF+BN+BM": 0.2})
    page = build(store)
    assert names(page) == ["Depth"]
    figures = {f["model"]: f for f in page.data["figures"] if f["trials"]}
    assert {m: (f["error"], f["expected"]) for m, f in figures.items()} == {
        "BP": (10.0, 3),
        "uSF+BN+BM": (20.0, 3),
    }
    assert page.sections[0].rows[0].printed is None


def test_claims_lead_to_the_figures_that_they_compare(run, store):
    errors = {"SGD": 0.03, "RndF": 0.1}
    page = build(store, run(plan_of("C1", list(errors)), errors))
    (assessment,) = page.assessments
    (finding,) = [f for f in assessment.findings if f.claim.name == "C1, RndF"]
    assert finding.verdict == "holds"
    for model, error in finding.errors.items():
        figure = page.data["figures"][page.evidence[0, model]]
        assert (figure["model"], figure["error"]) == (model, round(error, 3))


def test_a_users_model_is_no_evidence(run, store, make_plan):
    plan = make_plan([Column("uSF", rule="frSF")])
    assert build(store, run(plan)).evidence == {}


def test_with_one_seed_intervals_are_over_test_examples(run, store):
    page = build(store, run(plan_of("C1", ["SGD", "RndF"]), {"SGD": 0.1, "RndF": 0.3}))
    (section,) = page.sections
    sgd, rndf = section.rows[0].comparisons
    assert (sgd, section.seeds, rndf.p_value) == (None, {1}, None)
    # By hand: 1.96 sqrt((0.1 * 0.9 + 0.3 * 0.7) / 1000) is 3.4 points.
    assert (rndf.low, rndf.high) == pytest.approx((20 - 3.4, 20 + 3.4), abs=0.01)


def test_models_of_a_page_have_marks_of_their_own(run, store):
    page = build(store, run(plan_of("A")), run(plan_of("BM")), run(plan_of("C2")))
    looks = {f["model"]: f["look"] for f in page.data["figures"]}
    assert looks["SGD Top"] == looks["RndF Top"]  # the same runs
    assert looks["BM"] == looks["BM1"]
    assert len(set(looks.values())) == len(looks) - 4
    marks = [tuple(look[:1] + look[2:]) for look in page.data["looks"]]
    assert len(set(marks)) == len(marks)


def test_the_finding_is_that_of_the_setup_with_most_verdicts(run, store):
    page = build(
        *(store, run(plan_of("C1", ["SGD"], dataset=CIFAR, epochs=2))),
        run(plan_of("C1", ["SGD", "RndF"]), {"SGD": 0.03, "RndF": 0.1}),
    )
    assert page.labels[page.main] == "mnist_5k"
    assert page.data["main"] == page.main
