import dataclasses

import pytest

from keras_asymbp.benchmarks.reports import words
from keras_asymbp.benchmarks.results.table import Entry
from keras_asymbp.benchmarks.tables.protocol import PRESETS

ENTRY = Entry({0: 3.0}, 2.5, None, None, ({},), 1)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (ENTRY, "3.00"),
        (dataclasses.replace(ENTRY, errors={0: 2.996}), "3.00"),
        (dataclasses.replace(ENTRY, errors={0: 100.0}, mark="worse"), "100.00▲"),
        (dataclasses.replace(ENTRY, errors={0: 0.0}, mark="better"), "0.00▼"),
        (
            dataclasses.replace(
                ENTRY,
                errors={0: 2.0, 1: 4.0},
                mark="worse",
                trials=({}, {}),
                expected=2,
            ),
            "3.00▲ ±1.41",
        ),
        (dataclasses.replace(ENTRY, errors={}, trials=()), "not run"),
        (dataclasses.replace(ENTRY, errors={}, expected=5), "(1 of 5 trials)"),
        (dataclasses.replace(ENTRY, expected=5), "3.00 (1 of 5 trials)"),
    ],
)
def test_our_figure(entry, expected):
    assert words.ours(entry) == expected


@pytest.mark.parametrize(
    ("figure", "mark", "expected"),
    [(0.67, None, "0.67"), (85.5, "worse", "85.50▲"), (None, None, "?")],
)
def test_the_papers_figure(figure, mark, expected):
    entry = dataclasses.replace(ENTRY, paper=figure, paper_mark=mark)
    assert words.paper(entry) == expected


def test_deviations_from_the_paper_are_named():
    protocol = dataclasses.replace(
        PRESETS["quick"], train_examples=10_000, architecture="large"
    )
    assert words.changes(protocol) == (
        ", 10,000 training examples, the network 'large'"
    )
    assert words.changes(PRESETS["paper"]) == ""
