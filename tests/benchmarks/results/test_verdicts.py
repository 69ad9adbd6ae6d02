import itertools

import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.results import checks, inventory, verdicts
from keras_asymbp.benchmarks.results.claims import CLAIMS, COLUMNS, ON_MORE
from keras_asymbp.benchmarks.results.store import Store
from keras_asymbp.benchmarks.results.verdicts import (
    FAILS,
    HOLDS,
    UNDECIDED,
    UNKNOWN,
)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


@pytest.fixture
def run(store, finish, make_cell):
    """Stores a complete cell of a model with this error in percent."""

    def run(model, error, seed=0, **protocol):
        protocol = {"epochs": 7, "learning_rates": (0.5,)} | protocol
        cell = make_cell(COLUMNS[model], seed=seed, **protocol)
        for trial in cell.trials():
            finish(store, cell, trial, error / 100)

    return run


def findings_of(store):
    """The findings on the only setup of a store, by the claim's name."""
    (setup,) = inventory.take(store).setups
    return {f.claim.name: f for f in verdicts.evaluate(setup, store)}


def alone(errors, check, examples=1000):
    """An inequality, tested alone on errors by model and seed."""
    sample = checks.Sample(errors, examples, 90)
    (tested,) = verdicts._test([check], sample, "MNIST")
    return tested


def test_a_network_that_names_the_largest_class_is_guessing(store, finish, make_cell):
    mnist = datasets.get("mnist")
    cell = make_cell(COLUMNS["RndF+BN"], mnist, epochs=7, learning_rates=(0.5,))
    for trial in cell.trials():
        finish(store, cell, trial, 0.8865)
    finding = findings_of(store)["V, chance"]
    assert finding.tested[0].points == pytest.approx(0)
    assert finding.uncorrected == UNDECIDED


def test_the_best_of_seven_epochs_may_be_better_than_guessing_by_chance(store, run):
    # One look at 12.3 % hits would decide: p is 0.02.
    run("RndF+BN", 87.7)
    (tested,) = findings_of(store)["V, chance"].tested
    once = scipy.stats.binomtest(123, 1000, 0.1, "greater").pvalue
    assert tested.p_value == pytest.approx(2 * 7 * once)
    assert 2 * once < 0.05 < tested.p_value


# The test split has 1,000 images, so around 30 % an interval has 4 points to each side.
@pytest.mark.parametrize(
    ("sgd", "rndf", "verdict"),
    [(30, 40, HOLDS), (30, 35, UNDECIDED), (30, 31, UNDECIDED), (30, 25, FAILS)],
)
def test_one_seed_is_compared_over_test_images(sgd, rndf, verdict, store, run):
    run("SGD", sgd)
    run("RndF", rndf)
    finding = findings_of(store)["C1, RndF"]
    assert finding.verdict == finding.uncorrected == verdict
    assert finding.errors == pytest.approx({"SGD": sgd, "RndF": rndf})
    (tested,) = finding.tested
    assert tested.points == pytest.approx(rndf - sgd)
    assert tested.low < tested.effect < tested.high
    assert tested.seeds == (0,)


@pytest.mark.parametrize(
    ("rndf", "verdict"),
    [((40, 42, 41), HOLDS), ((40, 31, 90), UNDECIDED), ((30, 31, 29), FAILS)],
)
def test_several_seeds_are_compared_in_pairs(rndf, verdict, store, run):
    for seed, error in enumerate(rndf):
        run("SGD", (30, 31, 30.5)[seed], seed)
        run("RndF", error, seed)
    finding = findings_of(store)["C1, RndF"]
    assert finding.verdict == verdict
    assert finding.tested[0].seeds == (0, 1, 2)


def test_a_difference_that_is_not_found_is_no_equivalence():
    errors = {"a": {0: 30, 1: 36, 2: 33}, "b": {0: 33, 1: 33, 2: 33}}
    tested = alone(errors, checks.alike("a", "b"))
    assert tested.effect == pytest.approx(0, abs=0.01)
    assert tested.verdict == UNDECIDED
    close = {"a": {0: 30.1, 1: 36, 2: 33}, "b": {0: 30, 1: 36.1, 2: 33}}
    assert alone(close, checks.alike("a", "b")).verdict == HOLDS


def test_a_claim_holds_if_all_of_its_inequalities_hold(store, run):
    for model, error in (("uSF+BN+BM", 20), ("brSF+BN+BM", 20), ("frSF+BN+BM", 40)):
        run(model, error)
    run("SGD", 40)
    found = findings_of(store)
    assert [t.verdict for t in found["I"].tested] == [UNDECIDED, FAILS, FAILS]
    assert found["I"].verdict == FAILS
    assert [t.verdict for t in found["IV"].tested] == [HOLDS, HOLDS, UNDECIDED]
    assert found["IV"].verdict == UNDECIDED


def test_p_is_adjusted_for_the_number_of_different_inequalities(store, run):
    run("SGD", 20)
    for model, error in (("uSF", 26.5), ("uSF+BN", 20), ("uSF+BN+BM", 20)):
        run(model, error)
    found = findings_of(store)
    by_check = {t.check: t for f in found.values() for t in f.tested}
    # Those of III, and of A, uSF: two claims may share an inequality.
    assert len(by_check) == 4
    p_values = sorted(t.p_value for t in by_check.values())
    assert sorted(t.adjusted for t in by_check.values()) == pytest.approx(
        sorted(verdicts.holm(p_values))
    )


def test_the_correction_can_only_make_undecided(store, run):
    for number, model in enumerate(COLUMNS):
        for seed in (0, 1, 2):
            run(model, 5 + 2 * number + (number * seed) % 3, seed)
    found = findings_of(store).values()
    assert any(f.verdict != f.uncorrected for f in found)
    for finding in found:
        assert finding.verdict in (finding.uncorrected, UNDECIDED)


@pytest.mark.parametrize("error", [0, 0.5, 50, 90, 100])
@pytest.mark.parametrize("seeds", [(0,), (0, 1, 2)])
def test_equal_errors(error, seeds, store, run, recwarn):
    for model, seed in itertools.product(COLUMNS, seeds):
        run(model, error, seed)
    found = findings_of(store)
    for finding in found.values():
        for tested in finding.tested:
            if isinstance(tested.check, checks.Contrast):
                assert tested.effect == pytest.approx(0)
                # No difference is never a failure to be alike, nor a success in order.
                of_difference = tested.check.above >= 0
                assert tested.uncorrected != (HOLDS if of_difference else FAILS)
    assert [str(w.message) for w in recwarn] == []
    # Half an error of 1,000 is too much to tell by what factor errors of 0 % differ.
    if len(seeds) > 1 and 0 < error < 100:
        assert found["I"].uncorrected == HOLDS
        assert found["C1, RndF"].uncorrected == FAILS


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=5), st.integers(1, 4))
def test_no_verdict_flips_as_seeds_with_equal_errors_come(wrong, more):
    errors = [count / 10 for count in wrong]
    for check in (checks.alike("a", "b"), checks.better("a", "b")):
        found = {
            alone(
                {model: dict(enumerate(errors * times)) for model in ("a", "b")}, check
            ).verdict
            for times in range(1, more + 1)
        }
        assert not found >= {HOLDS, FAILS}
        assert (FAILS if check.below == 1 else HOLDS) not in found


@given(
    st.lists(st.tuples(*[st.integers(1, 999)] * 2), min_size=2, max_size=6),
    st.sampled_from((checks.better, checks.no_worse, checks.lower, checks.alike)),
)
def test_the_verdict_is_that_of_the_interval(wrong, kind):
    by_model = zip(*wrong, strict=True)
    errors = {
        model: {seed: count / 10 for seed, count in enumerate(of_model)}
        for model, of_model in zip("ab", by_model, strict=True)
    }
    check = kind("a", "b")
    tested = alone(errors, check)
    if check.above < tested.low and tested.high < check.below:
        assert tested.uncorrected == HOLDS
    elif tested.high < check.above or tested.low > check.below:
        assert tested.uncorrected == FAILS
    else:
        assert tested.uncorrected == UNDECIDED


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_without_a_model_a_claim_is_unknown(claim, store, run):
    for model in claim.models[1:]:
        if model in COLUMNS:
            run(model, 20)
    run("NuSF" if "NuSF" not in claim.models else "RndF+BM", 5)
    finding = findings_of(store)[claim.name]
    assert finding.verdict == finding.uncorrected == UNKNOWN
    assert finding.tested == ()
    assert claim.models[0] not in finding.errors


def test_without_results_every_claim_is_unknown(store):
    findings = verdicts.evaluate(None, store)
    assert verdicts.counts(findings) == {
        **{HOLDS: 0, FAILS: 0, UNDECIDED: 0, UNKNOWN: len(CLAIMS)}
    }


def test_means_are_over_the_common_seeds(store, run):
    for seed, sgd, rndf in ((0, 20, 40), (1, 30, 52), (2, 90, None), (3, None, 90)):
        for model, error in (("SGD", sgd), ("RndF", rndf)):
            if error is not None:
                run(model, error, seed)
    (tested,) = findings_of(store)["C1, RndF"].tested
    assert tested.seeds == (0, 1)
    assert tested.points == pytest.approx(21)


def test_without_common_seeds_a_claim_is_unknown(store, run):
    run("SGD", 2, seed=0)
    run("RndF", 90, seed=1)
    assert findings_of(store)["C1, RndF"].verdict == UNKNOWN


def test_smaller_training_sets_are_compared_with_the_largest(store, run):
    for train_examples, bn, both in ((100, 40, 20), (1000, 30, 25), (2000, 20, 20)):
        run("BN", bn, train_examples=train_examples)
        run("BN+BM", both, train_examples=train_examples)
    run("BN", 10, epochs=3)  # another protocol
    run("BN+BM", 50, epochs=3)
    held = inventory.take(store)
    found = {}
    for setup in held.setups:
        by_name = {
            f.claim.name: f for f in verdicts.evaluate(setup, store, held.setups)
        }
        found[setup.protocol.train_examples] = by_name["VI, small"]
    assert found[100].verdict == HOLDS
    assert found[100].errors[f"BN{ON_MORE}"] == pytest.approx(20)
    assert found[1000].verdict == UNDECIDED
    assert found[2000].verdict == found[None].verdict == UNKNOWN


def test_without_the_number_of_test_examples_nothing_is_decided(store, finish, tiny):
    from keras_asymbp.benchmarks.tables.cells import Cell
    from keras_asymbp.benchmarks.tables.protocol import PRESETS

    for name in ("SGD", "RndF"):
        cell = Cell(tiny, "1", COLUMNS[name], PRESETS["quick"], 0)
        for trial in cell.trials():
            finish(store, cell, trial, 0.5)
    assert findings_of(store)["C1, RndF"].verdict == UNKNOWN
