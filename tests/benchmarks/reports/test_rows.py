import io
import json

import pandas as pd
import pytest

from keras_asymbp.benchmarks.reports import rows
from keras_asymbp.benchmarks.results.store import Store


@pytest.fixture
def trials(make_cell, finish, tmp_path):
    """Two trials: one with special characters, one that finished no epoch."""
    store, cell = Store(tmp_path), make_cell(train_examples=50)
    first, second, *_ = cell.trials()
    finish(store, cell, second, 0.25, model='a "b",\n<c>', versions={"x": "1"})
    nothing = {"best_error": 0.9, "best_epoch": None, "diverged": True, "curves": []}
    finish(store, cell, first, 0.9, result=nothing)
    return store.trials()


def test_pandas_reads_what_was_stored(trials):
    frame = pd.read_csv(
        io.StringIO(rows.text(trials)), dtype={"id": str, "data_version": str}
    )
    frame = frame.set_index("id")
    assert len(frame) == len(trials) == 2
    for trial in trials:
        row = frame.loc[trial["id"]]
        for name in ("model", "command", "file", "seconds", "started"):
            assert row[name] == trial[name]
        for name, value in trial["settings"].items():
            if value is None:
                assert pd.isna(row[name])
            elif isinstance(value, list):
                assert json.loads(row[name]) == value
            else:
                assert row[name] == value
        result = trial["result"]
        assert row["best_error"] == result["best_error"]
        assert row["diverged"] == result["diverged"]
        assert row["epochs_finished"] == len(result["curves"])
    diverged = frame[frame.diverged].iloc[0]
    assert pd.isna(diverged[["best_epoch", "train_error", "test_error"]]).all()
    assert frame[~frame.diverged].iloc[0]["train_error"] == 0.25


def test_missing_values_are_empty(trials):
    frame = pd.read_csv(io.StringIO(rows.text(trials)))
    assert sorted(frame["version.x"].dropna()) == [1]
    assert sorted(frame["version.numpy"].dropna()) == [1]


def test_no_trials():
    head = "model,dataset,seed,learning_rate,best_error\n"
    assert rows.text([]) == head
