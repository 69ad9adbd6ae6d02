import os

import pytest

from keras_asymbp.benchmarks import environment


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch):
    for name in environment.THREADS:
        monkeypatch.delenv(name, raising=False)


def test_what_the_user_says_comes_first(monkeypatch):
    first, second = environment.THREADS
    assert environment.threads(None, 3) == {first: "3", second: "3"}
    assert environment.threads(2, 3) == {first: "2", second: "2"}
    monkeypatch.setenv(first, "7")
    assert environment.threads(None, 3) == {first: "7", second: "3"}
    assert environment.threads(2, 3) == {first: "2", second: "2"}


@pytest.mark.parametrize("deterministic", [False, True])
def test_a_trial_says_how_it_was_run(deterministic, monkeypatch):
    described = environment.describe(deterministic)
    assert described["versions"].keys() >= {"keras-asymbp", "tensorflow", "keras"}
    machine = described["machine"]
    assert machine["processor"]
    assert machine["cores"] == os.cpu_count()
    assert machine["threads"] == environment.cores() <= os.cpu_count()
    assert machine["deterministic"] is deterministic
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "7")
    assert environment.describe(deterministic)["machine"]["threads"] == 7
