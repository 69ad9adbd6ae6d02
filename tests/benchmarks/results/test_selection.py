import pytest

from keras_asymbp.benchmarks.results import selection
from keras_asymbp.benchmarks.results.store import Store
from keras_asymbp.benchmarks.tables.experiments import Column


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


def result(validation_error, tests, best):
    return {
        "validation_error": validation_error,
        "best_error": tests[best],
        "best_epoch": best + 1,
        "diverged": False,
        "curves": [
            {
                **{"epoch": epoch, "learning_rate": 0.1, "train_loss": 0.5},
                **{"train_error": 0.5, "test_loss": 0.5, "test_error": error},
                **{"validation_loss": 0.5, "validation_error": validation_error},
            }
            for epoch, error in enumerate(tests, start=1)
        ],
    }


def test_both_choices_by_hand(store, make_plan, finish):
    plan = make_plan(learning_rates=(0.5, 0.25), epochs=2, validation_share=0.1)
    for cell in plan.cells():
        first, second = cell.trials()
        # Held out, the first rate and its second epoch are best; on the test split it
        # is the second rate's first epoch.
        chosen, other = result(0.1, (0.15, 0.2), 1), result(0.3, (0.12, 0.4), 1)
        finish(store, cell, first, 0, result=chosen)
        finish(store, cell, second, 0, result=other)
    (found,) = selection.selections([plan], store)
    assert (found.model, found.held_out) == ("SGD", pytest.approx(20))
    assert found.lowest == pytest.approx(12)
    assert found.gain == selection.mean_gain([found]) == pytest.approx(8)
    # Tables that share a model share its figures.
    assert selection.selections([plan, plan], store) == [found]


def test_without_held_out_examples_there_is_nothing_to_compare(
    store, make_plan, finish
):
    plan = make_plan(learning_rates=(0.5,))
    for cell in plan.cells():
        finish(store, cell, cell.trials()[0], 0.5)
    assert selection.selections([plan], store) == []


def test_incomplete_models_are_left_out(store, make_plan, finish):
    columns = (Column("SGD"), Column("RndF", rule="RndF"))
    plan = make_plan(columns, learning_rates=(0.5, 0.25), validation_share=0.1)
    for cell in plan.cells():
        rates = cell.trials()[: 1 if cell.column.name == "RndF" else 2]
        for trial in rates:
            finish(store, cell, trial, 0.5, validation_error=0.5)
    assert [s.model for s in selection.selections([plan], store)] == ["SGD"]


def test_a_run_without_an_epoch_counts_as_guessing(store, make_plan, finish):
    plan = make_plan(learning_rates=(0.5,), validation_share=0.1)
    without = {"best_error": 0.9, "best_epoch": None, "diverged": True, "curves": []}
    for cell in plan.cells():
        finish(
            *(store, cell, cell.trials()[0], 0.9),
            result=without | {"validation_error": 0.9},
        )
    (found,) = selection.selections([plan], store)
    assert (found.held_out, found.lowest) == (90, 90)
