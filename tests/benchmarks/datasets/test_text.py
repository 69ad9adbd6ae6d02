import importlib.resources
import pathlib

import numpy as np
import pytest

from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.datasets import text
from keras_asymbp.benchmarks.datasets.text import SYMBOLS, Text


def _spelled(inputs):
    return ["".join(SYMBOLS[n] for n in row) for row in inputs.argmax(axis=-1)]


@pytest.fixture(scope="module")
def sonnets():
    return datasets.get("sonnets").load()


def test_windows_are_cut_from_the_text_with_the_next_character(tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("Say: (it) moves!\nAnd so.")
    source = Text(path, "1", counts=(3, 2), context=4, test_share=0.4)
    # 22 characters without the parentheses; 13 of them are for training.
    expected = {"train": ["say:", " it ", "move"], "test": ["!\nan", "d so"]}
    after = {"train": [" ", "m", "s"], "test": ["d", "."]}
    for split, labels in zip(expected, source.labels(None), strict=True):
        (inputs,) = source.inputs(split, None)
        assert _spelled(inputs) == expected[split]
        assert [SYMBOLS[n] for n in labels] == after[split]


def test_sonnets_are_one_hot_and_in_no_order_but_the_text(sonnets):
    assert sonnets.x_train.shape == (20_000, 32, len(SYMBOLS))
    assert sonnets.x_test.shape == (2_000, 32, len(SYMBOLS))
    for inputs in (sonnets.x_train, sonnets.x_test):
        assert inputs.dtype == bool
        assert (inputs.sum(axis=-1) == 1).all()
    first, *_ = _spelled(sonnets.x_train[:1])
    assert first == "from fairest creatures we desire"
    assert SYMBOLS[sonnets.y_train[0]] == " "
    assert len(np.unique(sonnets.y_train)) == len(SYMBOLS)


def test_a_load_reads_the_text_once(monkeypatch):
    read, paths = pathlib.Path.read_text, []
    monkeypatch.setattr(
        pathlib.Path,
        "read_text",
        lambda path, **kwargs: paths.append(path.name) or read(path, **kwargs),
    )
    text._numbers.cache_clear()
    datasets.get("sonnets").load()
    assert paths == ["sonnets.txt"]


def test_no_long_line_is_in_both_splits(sonnets):
    train, test = (
        {inputs.tobytes() for inputs in x} for x in (sonnets.x_train, sonnets.x_test)
    )
    assert not train & test


def test_origin_and_licence_are_in_the_package():
    note = importlib.resources.files(datasets).joinpath("SONNETS.md").read_text()
    assert "Shakespeare" in note
    assert "public domain" in note
