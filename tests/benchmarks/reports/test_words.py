import dataclasses

import pytest

from keras_asymbp.benchmarks.reports import words
from keras_asymbp.benchmarks.results import agreement, checks, verdicts
from keras_asymbp.benchmarks.results.assessment import Assessment
from keras_asymbp.benchmarks.results.claims import Claim
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


def test_deviations_from_the_defaults_are_named(make_plan):
    changed = {
        "train_examples": 10_000,
        "validation_share": 0.1,
        "architecture": "large",
    }
    protocol = dataclasses.replace(PRESETS["quick"], **changed)
    setup = make_plan().setup
    assert words.changes(setup) == ""
    assert words.changes(dataclasses.replace(setup, protocol=protocol)) == (
        ", 10,000 training examples, 10 % of the training examples held out, "
        "the network 'large'"
    )
    older = dataclasses.replace(setup, protocol=PRESETS["paper"])
    assert words.changes(older) == ", the reading 'unit-he-sum-decay'"


def test_assessments_of_one_data_set_have_titles_of_their_own(make_plan):
    setup = make_plan().setup
    half = dataclasses.replace(setup.protocol, train_examples=2000)
    setups = setup, dataclasses.replace(setup, protocol=half, preset=None)
    assert words.titles([Assessment(each, ()) for each in setups]) == [
        "mnist_5k (preset quick)",
        "mnist_5k, 2,000 training examples (no preset)",
    ]
    assert words.titles([Assessment(None, ())]) == ["No results"]


def test_the_basis_of_verdicts(make_plan):
    setup = make_plan().setup
    claim = Claim("I", "", "", (TESTED.check,))

    def basis(*seeds):
        tested = [dataclasses.replace(TESTED, seeds=each) for each in seeds]
        found = [verdicts.Finding(claim, {}, (each,), (0, 0)) for each in tested]
        return words.basis(Assessment(setup, found))

    assert "over 1,000 test examples, and" in basis((7,))
    assert basis((0, 1)).endswith("over 2 seeds.")
    # A seed that is not complete for every model counts where it is.
    assert basis((0, 1), (0, 1, 2)).endswith("over 2 to 3 seeds.")
    assert basis() == ""


def test_an_agreement():
    found = agreement.Agreement("Table 2", 4, 0.4, None, None)
    assert "".join(words.agreement(found)) == (
        "Agreement with Table 2: rank correlation 0.40 of 4 models."
    )
    known = dataclasses.replace(found, low=0.1, high=0.5)
    assert words.agreement(known)[2] == " (95 % interval 0.10 to 0.50) of 4 models."


TESTED = verdicts.Tested(
    *(checks.better("a", "b"), (0, 1), 4.0, 1.234, -0.001, 2.5),
    *(0.01, 0.02, verdicts.HOLDS, (3, 70), (1, 70)),
)


def test_an_inequality():
    assert words.margins(TESTED) == "+1.23 (+0.00 to +2.50)"
    assert words.failing(TESTED) == "3 of 70 (1)"
    without = dataclasses.replace(TESTED, could_fail=(0, 0))
    assert words.failing(without) == "?"


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        (checks.better("a", "b"), "> 1"),
        (checks.no_worse("a", "b"), "< 1"),
        (checks.alike("a", "b"), "-1 to 1"),
        (checks.learns("a"), "> 0"),
    ],
)
def test_limits(check, expected):
    assert words.limits(check) == expected


def test_the_summary_counts_verdicts_by_kind():
    claim = Claim("I", "", "", (TESTED.check,))
    near = dataclasses.replace(TESTED, adjusted=0.2)
    findings = [
        verdicts.Finding(claim, {}, tested, (0, 0))
        for tested in ((TESTED,), (near,), (near,), ())
    ]
    assert words.summary(Assessment(None, findings)) == (
        "Claims: 4. Verdicts: holds 1, does not hold 0, undecided 2, not enough "
        "results 1. Inequalities: 1. Without the correction for their number: holds 3, "
        "does not hold 0, undecided 0, not enough results 1."
    )
    found = words.by_verdict(findings)
    numbers = [(kind, said, len(names)) for kind, _, said, names in found]
    assert numbers == [
        *(("holds", "holds", 1), ("fails", "do not hold", 0)),
        *(("undecided", "undecided", 2), ("unknown", "not enough results", 1)),
    ]
    assert words.summary(Assessment(None, findings[3:])) == (
        "Claims: 1. Verdicts: holds 0, does not hold 0, undecided 0, not enough "
        "results 1."
    )
    one = dataclasses.replace(TESTED, seeds=(0,))
    single = Assessment(None, [verdicts.Finding(claim, {}, (one,), (0, 0))])
    assert words.summary(single).endswith("intervals are over test examples.")
