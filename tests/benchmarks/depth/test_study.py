import csv
import dataclasses
import io

import numpy as np
import pytest

from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.depth import study
from keras_asymbp.benchmarks.depth.study import Layer, Run
from keras_asymbp.benchmarks.networks import FAMILIES, NETWORKS
from keras_asymbp.benchmarks.results.measures import MEASURES
from keras_asymbp.benchmarks.results.store import Store
from keras_asymbp.benchmarks.tables.experiments import DEPTH, DEPTH_RULES
from keras_asymbp.benchmarks.tables.plan import Plan, Setup
from keras_asymbp.benchmarks.tables.protocol import PRESETS, Protocol
from keras_asymbp.benchmarks.training.build import build

COLUMNS = {column.name: column for column in DEPTH.columns}
ANGLES = {
    "conv": {"angle": 30.0, "gradient_angle": 60.0},
    "logits": {"angle": None, "gradient_angle": 0.0},
}


@pytest.fixture
def make_run():
    def make(model="BP", family="plain", depth=2, error=5.0, angles=(), seed=0):
        layers = tuple(Layer(f"layer{n}", 45.0, a) for n, a in enumerate(angles))
        return Run(family, depth, COLUMNS[model], seed, 2e-3, error, layers)

    return make


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("depth", [2, 4, 20])
def test_layers_and_weights_of_the_networks(family, depth):
    if depth not in FAMILIES[family].depths:
        assert f"{family}-{depth}" not in NETWORKS
        return
    model = build(f"{family}-{depth}", 10, feedback="uSF")
    layers = [layer for layer in model.layers if layer.weights]
    assert len(layers) == depth
    assert model.input_shape == (None, 28, 28, 1)
    assert {layer.output.shape[1:] for layer in layers[:-1]} == {(7, 7, 16)}
    lowest, logits = 5 * 5 * 16 + 16, 7 * 7 * 16 * 10 + 10
    others = (depth - 2) * (3 * 3 * 16 * 16 + 16)
    assert model.count_params() == lowest + others + logits


def test_every_network_of_the_study_exists():
    for name, family in FAMILIES.items():
        assert {f"{name}-{depth}" for depth in family.depths} <= set(NETWORKS)
    assert set(study.DEPTHS) <= set(FAMILIES["plain"].depths)


def test_a_residual_network_without_its_blocks_is_the_plain_one():
    residual, plain = build("residual-4", 10), build("plain-2", 10)
    deeper = build("plain-4", 10)
    x = np.random.default_rng(0).normal(size=(3, 28, 28, 1))
    weights = residual.get_weights()
    deeper.set_weights(weights)
    assert not np.allclose(residual(x), deeper(x), atol=0.1)
    # A block whose last convolution is zero is the identity.
    weights[4:6] = [np.zeros_like(weight) for weight in weights[4:6]]
    residual.set_weights(weights)
    plain.set_weights([*weights[:2], *weights[6:]])
    np.testing.assert_allclose(residual(x), plain(x), rtol=1e-5, atol=1e-5)


def test_every_rule_is_trained_with_help_and_without():
    assert len(COLUMNS) == 2 * len(DEPTH_RULES)
    for rule in DEPTH_RULES:
        alone, helped = COLUMNS[rule], COLUMNS[f"{rule}+BN+BM"]
        assert (alone.normalization, alone.setting) == (None, 0)
        assert (helped.normalization, helped.setting) == ("BN", 1)
        assert alone.feedback == helped.feedback == rule
        assert (alone.weight_decay == helped.weight_decay == 1.0) == (rule == "KP")


def test_a_plan_for_each_network():
    models = COLUMNS["uSF"], COLUMNS["uSF+BN+BM"]
    mnist, quick = datasets.get("mnist_5k"), PRESETS["quick"]
    networks = [("plain", 2), ("residual", 4)]
    plans = study.plans(networks, models, Setup(mnist, "1", quick, "quick", (0, 3)))
    assert [plan.setup for plan in plans] == [
        Setup(mnist, "1", Protocol(epochs=6, architecture=network), "quick", (0, 3))
        for network in ("plain-2", "residual-4")
    ]
    for plan in plans:
        assert (plan.experiment, plan.columns) == (DEPTH, models)
        # Without help and with it the rates that are searched differ.
        rates = [[t.learning_rate for t in c.trials()] for c in plan.cells()]
        assert rates == 2 * [[2e-3, 2e-4, 2e-5], [1e-2, 2e-3, 2e-4]]


def test_the_experiment_shares_its_runs_with_the_study():
    columns = DEPTH.columns[:1]
    mnist = datasets.get("mnist_5k")
    network = dict(DEPTH.networks)[mnist.network]
    protocol = dataclasses.replace(PRESETS["paper"], architecture=network)
    plan = Plan(DEPTH, columns, Setup(mnist, "1", protocol, "paper", (0,)))
    setup = dataclasses.replace(plan.setup, protocol=PRESETS["paper"])
    assert study.plans([("residual", 20)], columns, setup) == [plan]


def test_runs_are_the_best_of_complete_cells(tmp_path, finish):
    rates = (0.5, 0.25)
    models = [
        dataclasses.replace(COLUMNS[name], learning_rates=rates)
        for name in ("uSF+BN+BM", "RndF", "NuSF")
    ]
    mnist, protocol = datasets.get("mnist_5k"), Protocol(epochs=2, alignment_batches=1)
    setup = Setup(mnist, "1", protocol, "quick", (0,))
    plans = study.plans([("plain", 8)], tuple(models), setup)
    store = Store(tmp_path)
    results = {
        "uSF+BN+BM": [(0.5, {}), (0.125, ANGLES)],
        "RndF": [(0.9, None), (0.9, None)],
        "NuSF": [(0.25, ANGLES)],  # a rate is missing
    }
    for cell in (cell for plan in plans for cell in plan.cells()):
        outcomes = results[cell.column.name]
        for trial, (error, angles) in zip(cell.trials(), outcomes, strict=False):
            measures = angles and {"conv": {"error_norm_ratio": 0.5}}
            result = {"best_error": error, "alignment": angles}
            result |= {"diagnostics": measures}
            finish(store, cell, trial, error, result=result)
    conv = Layer("conv", 30.0, 60.0, {"error_norm_ratio": 0.5})
    layers = conv, Layer("logits", None, 0.0)
    assert study.runs(plans, store) == [
        Run("plain", 8, models[0], 0, 0.25, 12.5, layers),
        Run("plain", 8, models[1], 0, 0.5, 90.0, ()),
    ]


@pytest.mark.parametrize(
    ("alignment", "layers"),
    [
        ({}, ()),
        ({"alignment": None}, ()),
        ({"alignment": {"a": {"other": 1.0}}}, (Layer("a", None, None),)),
    ],
)
def test_a_stored_run_may_lack_its_angles(alignment, layers, tmp_path, finish):
    protocol = dataclasses.replace(PRESETS["smoke"], epochs=1)
    setup = Setup(datasets.get("mnist_5k"), "1", protocol, "smoke", (0,))
    (plan,) = study.plans([("plain", 2)], DEPTH.columns[:1], setup)
    store = Store(tmp_path)
    (cell,) = plan.cells()
    nothing = {"best_error": 0.9, "best_epoch": None, "diverged": True, "curves": []}
    for trial in cell.trials():
        finish(store, cell, trial, 0.9, result=nothing | alignment)
    (run,) = study.runs([plan], store)
    assert run.layers == layers


def test_a_run_has_its_rule_and_its_help(make_run):
    run = make_run("frSF+BN+BM")
    assert (run.column.rule, run.helped) == ("frSF", "BN+BM")
    run = make_run("RndF")
    assert (run.column.rule, run.helped) == ("RndF", "")


def test_the_mean_of_the_seeds_by_depth(make_run):
    runs = [
        make_run(depth=4, error=10.0, angles=[60.0, 0.0]),
        make_run(depth=2, error=3.0),
        make_run(depth=4, error=20.0, angles=[None, 0.0], seed=1),
    ]
    by_depth = study.over_seeds(runs, lambda run: run.error)
    assert list(by_depth.items()) == [(2, 3.0), (4, 15.0)]
    # Runs without the value are left out.
    angles = study.over_seeds(runs, study.lowest_gradient_angle)
    assert angles == {4: 60.0}


def test_csv_has_a_row_for_each_layer(make_run):
    runs = [make_run("RndF+BN+BM", "residual", 4, 12.5, [80.0, None]), make_run()]
    lowest, *above = runs[0].layers
    lowest = dataclasses.replace(lowest, measures={"error_norm_ratio": 0.5})
    runs[0] = dataclasses.replace(runs[0], layers=(lowest, *above))
    unknown = [""] * len(MEASURES)
    rows = list(csv.reader(io.StringIO(study.text(runs))))
    start = ["residual", "4", "RndF+BN+BM", "RndF", "0", "0.002", "12.5"]
    assert rows == [
        [
            *("network", "depth", "model", "feedback", "seed", "learning_rate"),
            *("error", "layer", "name", "angle", "gradient_angle", *MEASURES),
        ],
        [*start, "1", "layer0", "45.0", "80.0", "", "0.5", *unknown[2:]],
        [*start, "2", "layer1", "45.0", "", *unknown],
        ["plain", "2", "BP", "BP", "0", "0.002", "5.0", "", "", "", "", *unknown],
    ]


def test_tables_have_a_row_for_each_model(make_run):
    runs = [
        make_run("BP", "plain", 2, 5.0, [0.0]),
        make_run("RndF", "plain", 2, 20.0, [70.25]),
        make_run("RndF", "plain", 2, 10.0, [60.25], seed=1),
        make_run("BP", "residual", 4, 2.5),
    ]
    assert study.tables(runs).splitlines() == [
        "| error, % | plain-2 | residual-4 |",
        "|:--|--:|--:|",
        "| BP | 5.00 | 2.50 |",
        "| RndF | 15.00 | ? |",
        "",
        "| lowest layer, degrees | plain-2 | residual-4 |",
        "|:--|--:|--:|",
        "| BP | 0 | ? |",
        "| RndF | 65 | ? |",
    ]
    lowest = Layer("conv", 30.0, 60.0, {"error_norm_ratio": 1.25e-7})
    runs[0] = dataclasses.replace(runs[0], layers=(lowest,))
    assert study.tables(runs).splitlines()[10:] == [
        "| lowest layer, norm ratio of the error | plain-2 | residual-4 |",
        "|:--|--:|--:|",
        "| BP | 1.2e-07 | ? |",
        "| RndF | ? | ? |",
    ]
