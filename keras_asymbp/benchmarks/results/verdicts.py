"""The verdict on each claim for a setup, with the evidence on each inequality."""

import collections
import dataclasses
import functools
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence

from keras_asymbp.benchmarks.results.checks import Check, Sample
from keras_asymbp.benchmarks.results.claims import CLAIMS, COLUMNS, ON_MORE, Claim
from keras_asymbp.benchmarks.results.inference import CONFIDENCE, holm
from keras_asymbp.benchmarks.results.own_figures import by_points, could_fail, papers
from keras_asymbp.benchmarks.results.store import Store
from keras_asymbp.benchmarks.results.table import errors as errors_of
from keras_asymbp.benchmarks.tables.plan import Setup

HOLDS, FAILS, UNDECIDED = "holds", "does not hold", "undecided"
UNKNOWN = "not enough results"
VERDICTS = HOLDS, FAILS, UNDECIDED, UNKNOWN


@dataclasses.dataclass(frozen=True)
class Tested:
    """An inequality with the evidence on it.

    Attributes:
        check: The inequality.
        seeds: The seeds that it is tested on.
        points: The effect in points of error.
        effect: The effect in margins.
        low: Lower end of its 95 % interval.
        high: Upper end of the interval.
        p_value: The two-sided p against the limits that the inequality sets.
        adjusted: The p adjusted for the number of inequalities on the setup.
        towards: `HOLDS` or `FAILS`: the side of the limits that p speaks for.
        could_fail: How many of the paper's other models, in place of these, fail by the
            figures on this data set, and of how many; see `could_fail`.
        could_fail_by_points: The same with a margin of 3 points at every error.
    """

    check: Check
    seeds: tuple[int, ...]
    points: float
    effect: float
    low: float
    high: float
    p_value: float
    adjusted: float
    towards: str
    could_fail: tuple[int, int]
    could_fail_by_points: tuple[int, int]

    @property
    def verdict(self) -> str:
        """`HOLDS` or `FAILS` if the adjusted p is small enough, else `UNDECIDED`."""
        return self.towards if self.adjusted <= 1 - CONFIDENCE else UNDECIDED

    @property
    def uncorrected(self) -> str:
        """The verdict without regard to other inequalities, by the interval."""
        return self.towards if self.p_value <= 1 - CONFIDENCE else UNDECIDED


@dataclasses.dataclass(frozen=True)
class Finding:
    """The verdict on a claim for a setup.

    Attributes:
        claim: The claim.
        errors: Mean error in percent of each compared model that has a complete seed.
        tested: Its inequalities; empty without enough results.
        papers: Number of the paper's data sets on which its own figures pass the check,
            and number of those that have all the figures.
    """

    claim: Claim
    errors: Mapping[str, float]
    tested: tuple[Tested, ...]
    papers: tuple[int, int]

    @property
    def verdict(self) -> str:
        """`HOLDS`, `FAILS`, `UNDECIDED` or `UNKNOWN`."""
        return _together([tested.verdict for tested in self.tested])

    @property
    def uncorrected(self) -> str:
        """The verdict without the correction for the number of inequalities."""
        return _together([tested.uncorrected for tested in self.tested])


def evaluate(
    setup: Setup | None, store: Store, others: Sequence[Setup] = ()
) -> list[Finding]:
    """Checks every claim on a setup; on None every claim is unknown.

    Args:
        setup: The setup.
        store: The store.
        others: Further setups of the store. Claims about the number of training
            examples compare with the one that differs in it alone and has the most.
    """
    sample = _sample(setup, store, others) if setup else Sample({}, 0, 100)
    row = setup.dataset.paper if setup else None
    enough = [claim for claim in CLAIMS if _enough(claim, sample)]
    checks = dict.fromkeys(check for claim in enough for check in claim.checks)
    tested = dict(zip(checks, _test([*checks], sample, row), strict=True))
    return [
        Finding(
            claim,
            _means(sample, claim.models),
            tuple(tested[check] for check in claim.checks) if claim in enough else (),
            papers(claim),
        )
        for claim in CLAIMS
    ]


def counts(findings: Sequence[Finding], corrected: bool = True) -> dict[str, int]:
    """The number of claims by verdict, in the order of `VERDICTS`."""
    found = collections.Counter(
        finding.verdict if corrected else finding.uncorrected for finding in findings
    )
    return {verdict: found[verdict] for verdict in VERDICTS}


def _sample(setup, store, others):
    errors = _errors(setup, store)
    same = [other for other in others if alone(other) == alone(setup)]
    most = max(same, key=lambda each: each.train_examples, default=setup)
    if most.train_examples > setup.train_examples:
        more = _errors(most, store)
        errors |= {f"{model}{ON_MORE}": of_seed for model, of_seed in more.items()}
    return Sample(errors, setup.test_examples, setup.guessing, setup.looks)


def _errors(setup, store):
    by_model = {
        model: errors_of(setup, column, store) for model, column in COLUMNS.items()
    }
    return {model: of_seed for model, of_seed in by_model.items() if of_seed}


def largest(setups: Iterable[Setup]) -> dict[Setup, Setup]:
    """The setup with the most training examples, by what `alone` leaves of it."""
    most: dict[Setup, Setup] = {}
    for setup in setups:
        first = most.setdefault(alone(setup), setup)
        if setup.train_examples > first.train_examples:
            most[alone(setup)] = setup
    return most


@functools.cache
def alone(setup: Setup) -> Setup:
    """A setup apart from its number of training examples."""
    subject = setup.subject
    protocol = dataclasses.replace(subject.protocol, train_examples=None)
    return dataclasses.replace(subject, protocol=protocol)


def _enough(claim, sample):
    # Without the number of test examples there is no interval.
    return (
        sample.examples > 0
        and sample.errors.keys() >= set(claim.models)
        and all(sample.seeds(check.models) for check in claim.checks)
    )


def _test(checks, sample, row):
    evidence = [check.evidence(sample) for check in checks]
    against = [
        _p_values(found, check) for found, check in zip(evidence, checks, strict=True)
    ]
    p_values = [min(1.0, 2 * min(sides)) for sides in against]
    for check, found, sides, p_value, adjusted in zip(
        checks, evidence, against, p_values, holm(p_values), strict=True
    ):
        seeds = sample.seeds(check.models)
        means = {
            model: statistics.fmean(sample.errors[model][seed] for seed in seeds)
            for model in check.models
        }
        low, high = found.interval()
        yield Tested(
            *(check, seeds, check.points(means, sample.guessing)),
            *(found.value, low, high, p_value, adjusted),
            HOLDS if sides[0] < sides[1] else FAILS,
            could_fail(check, row),
            could_fail(check, row, by_points),
        )


def _p_values(evidence, check):
    """One-sided p of holding, where every limit counts, and of failing, where one does.

    Two limits make two one-sided tests, the test of equivalence.
    """
    finite = [
        limits
        for limits in (
            (check.above, evidence.p_above, evidence.p_below),
            (check.below, evidence.p_below, evidence.p_above),
        )
        if math.isfinite(limits[0])
    ]
    holding = max(inside(limit) for limit, inside, _ in finite)
    failing = min(outside(limit) for limit, _, outside in finite)
    return holding, failing


def _means(sample, models):
    return {
        model: statistics.fmean(sample.errors[model].values())
        for model in models
        if model in sample.errors
    }


def _together(verdicts):
    if not verdicts:
        return UNKNOWN
    if FAILS in verdicts:
        return FAILS
    return UNDECIDED if UNDECIDED in verdicts else HOLDS
