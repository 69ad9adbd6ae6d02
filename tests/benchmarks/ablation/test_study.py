import dataclasses

import pytest

from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.ablation import study
from keras_asymbp.benchmarks.results.store import Store
from keras_asymbp.benchmarks.tables import readings
from keras_asymbp.benchmarks.tables.experiments import ABLATION
from keras_asymbp.benchmarks.tables.plan import Setup
from keras_asymbp.benchmarks.tables.protocol import PRESETS

NAMES = [column.name for column in ABLATION.columns]
CHOSEN = [readings.get(f"{inputs}-he-sum-decay") for inputs in ("unit", "pixels")]
# Of Table 2, MNIST.
PRINTED = {"SGD": 0.67, "BM": 0.99, "BN": 0.52, "uSF": 88.65}


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


@pytest.fixture
def planned():
    dataset = datasets.get("mnist_5k")
    return study.plans(CHOSEN, Setup(dataset, "1", PRESETS["quick"], "quick", (0,)))


@pytest.fixture
def fill(store, finish):
    """Stores all trials of a plan; the best of each model is at a rate of the five."""

    def fill(plan, errors, at=2):
        for cell in plan.cells():
            for number, trial in enumerate(cell.trials()):
                more = 0 if number == at or len(cell.trials()) == 1 else 0.05
                finish(store, cell, trial, errors[cell.column.name] / 100 + more)

    return fill


def test_each_reading_has_the_papers_figures(planned):
    assert [plan.setup.protocol.input_scale for plan in planned] == [1 / 255, 1.0]
    printed = {c.name: planned[0].printed(c) for c in ABLATION.columns}
    assert printed.items() >= PRINTED.items()
    assert None not in printed.values()


def test_the_order_of_the_paper_agrees_and_another_does_not(planned, store, fill):
    good = {c.name: planned[0].printed(c) for c in ABLATION.columns}
    bad = dict(zip(NAMES, reversed(good.values()), strict=True))
    fill(planned[1], good)
    fill(planned[0], bad)
    first, second = study.lines(CHOSEN, planned, store)
    assert first.reading == CHOSEN[1]
    assert first.correlation == 1
    assert first.marks == (8, 8)
    assert second.correlation < 0.9
    text = study.table([first, second])
    assert "| pixels-he-sum-decay | 1.00 | 8 of 8 | 0.67 |" in text
    assert text.splitlines()[-1].startswith("| the paper | | | 0.67 | 0.99 |")


def test_the_effect_of_a_choice_is_a_mean_over_pairs_of_complete_readings():
    def line(name, error):
        figures = {
            model: study.Figure(error, float(paper), 1.0, beyond=False)
            for paper, model in enumerate(NAMES)
        }
        return study.Line(readings.get(name), figures)

    lines = [
        line("unit-he-sum-decay", 1.0),
        line("pixels-he-sum-decay", 2.0),
        line("unit-he-mean-decay", 4.0),
        line("pixels-he-mean-decay", 8.0),
        line("unit-normal-mean-decay", 90.0),  # without pixels
        line("pixels-normal-sum-decay", None),
    ]
    rows = [row.strip("| ").split(" | ") for row in study.effects(lines).splitlines()]
    found = {choice: (count, errors[0]) for choice, count, _, _, *errors in rows[2:]}
    assert found == {
        **{"unit": ("2", "2.50"), "pixels": ("2", "5.00")},
        **{"he": ("1", "4.00"), "normal": ("1", "90.00")},
        **{"sum": ("2", "1.50"), "mean": ("2", "6.00")},  # no row of "decay"
    }
    assert study.text(lines[-2:]) == study.table(lines[-2:])
    assert "differ in nothing else" in study.text(lines)


def test_a_folder_has_its_readings(planned, store, fill):
    printed = {c.name: planned[0].printed(c) for c in ABLATION.columns}
    fill(planned[1], printed)
    fill(dataclasses.replace(planned[0], columns=ABLATION.columns[:1]), printed)
    lines = study.of_folder(store)
    assert [line.reading for line in lines] == [CHOSEN[1], CHOSEN[0]]
    assert lines[0].marks == (8, 8)
    assert lines[1].figures["SGD"].error == printed["SGD"]
    assert lines[1].correlation is None


def test_of_nearly_equal_correlations_more_marks_come_first():
    def line(name, errors):
        figures = {
            model: study.Figure(error, paper, 1.0, beyond=False)
            for model, error, paper in zip(NAMES, errors, range(9), strict=True)
        }
        return study.Line(readings.get(name), figures)

    more = line("unit-he-sum-decay", [0, 1, 2, 3, 4, 5, 6, 8, 7])
    fewer = line("pixels-he-sum-decay", [v / 100 for v in range(9)])
    assert fewer.correlation > more.correlation > fewer.correlation - 0.05
    assert more.marks[0] > fewer.marks[0]
    assert study.in_order([fewer, more]) == [more, fewer]


def test_an_incomplete_reading_is_not_chosen():
    figures = {n: study.Figure(e, e, 1.0, beyond=False) for e, n in enumerate(NAMES)}
    worse = {n: study.Figure(-e, e, 1.0, beyond=False) for e, n in enumerate(NAMES)}
    missing = figures | {"BN": study.Figure(None, 2.0, None, beyond=False)}
    partial = study.Line(readings.get("unit-he-sum-decay"), missing)
    whole = study.Line(readings.get("pixels-he-sum-decay"), worse)
    assert partial.correlation == 1
    assert study.in_order([partial, whole]) == [whole, partial]


def test_of_equals_the_default_comes_first():
    figures = {n: study.Figure(e, e, 1.0, beyond=False) for e, n in enumerate(NAMES)}
    names = ["pixels-normal-mean-nodecay", "unit-he-sum-decay", "unit-he-mean-decay"]
    lines = [study.Line(readings.get(name), figures) for name in names]
    found = [line.reading.name for line in study.in_order(lines)]
    assert found == [names[1], names[2], names[0]]


@pytest.mark.parametrize(("at", "factor"), [(0, 10), (4, 0.1), (2, None)])
def test_a_rate_beyond_the_edge(at, factor, planned, store, fill):
    plan = planned[0]
    fill(plan, dict.fromkeys(NAMES, 2.0), at)
    (further,) = study.beyond([plan], store) or (None,)
    if factor is None:
        assert further is None
        return
    rates = PRESETS["quick"].learning_rates
    (rate,) = {rate for c in further.columns for rate in c.learning_rates}
    assert rate == pytest.approx(rates[at] * factor)
    (pending,) = study.lines(CHOSEN[:1], [plan], store)
    assert not pending.complete
    # The new rate is better for some models.
    errors = {name: 1.0 if name == "BN" else 3.0 for name in NAMES}
    fill(further, errors)
    (line,) = study.lines(CHOSEN[:1], [plan], store)
    assert line.figures["BN"].error == pytest.approx(1)
    assert line.figures["BN"].beyond
    assert line.figures["BM"].error == pytest.approx(2)
    assert not line.figures["BM"].beyond
    assert "1.00°" in study.table([line])


def test_held_out_examples_choose_between_the_five_rates_and_the_further(store, finish):
    protocol = dataclasses.replace(PRESETS["quick"], validation_share=0.1)
    setup = Setup(datasets.get("mnist_5k"), "1", protocol, "quick", (0,))
    (plan,) = study.plans(CHOSEN[:1], setup)

    def fill(plan, test, held_out):
        for cell in plan.cells():
            for number, trial in enumerate(cell.trials()):
                result = {
                    **{"best_error": test, "best_epoch": 1, "diverged": False},
                    **{"validation_error": held_out + number / 100, "curves": []},
                }
                finish(store, cell, trial, test, result=result)

    fill(plan, 0.3, 0.4)
    (further,) = study.beyond([plan], store)
    fill(further, 0.5, 0.2)
    (line,) = study.lines(CHOSEN[:1], [plan], store)
    assert {figure.error for figure in line.figures.values()} == {50.0}


def test_missing_trials_are_unknown(planned, store):
    lines = study.lines(CHOSEN, planned, store)
    assert [line.correlation for line in lines] == [None, None]
    assert [line.marks for line in lines] == [(0, 0)] * 2
    assert "| ? | 0 of 0 | ? |" in study.table(lines)
    assert study.beyond(planned, store) == []


def test_a_model_with_some_of_its_trials_is_unknown(planned, store, finish):
    plan = planned[0]
    for cell in plan.cells():
        *some, _ = cell.trials()
        for number, trial in enumerate(some):  # the best is at an edge
            finish(store, cell, trial, 0.02 + 0.01 * number)
    (line,) = study.lines(CHOSEN[:1], [plan], store)
    assert {figure.error for figure in line.figures.values()} == {None}
    assert study.beyond([plan], store) == []


def test_a_plan_of_some_columns(planned, store, fill):
    plan = dataclasses.replace(planned[0], columns=ABLATION.columns[:4])
    fill(plan, PRINTED)
    (line,) = study.lines(CHOSEN[:1], [plan], store)
    assert line.correlation == 1
