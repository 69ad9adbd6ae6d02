"""The paper's conclusions as checks on stored results."""

import dataclasses
import statistics
from collections.abc import Callable, Mapping, Sequence

import scipy.stats

from keras_asymbp.benchmarks.results.store import Store
from keras_asymbp.benchmarks.results.table import errors as errors_of
from keras_asymbp.benchmarks.results.table import mark
from keras_asymbp.benchmarks.tables import printed
from keras_asymbp.benchmarks.tables.experiments import EXPERIMENTS
from keras_asymbp.benchmarks.tables.plan import Setup
from keras_asymbp.benchmarks.tables.protocol import chance_error

HOLDS, FAILS, UNKNOWN = "holds", "does not hold", "not enough results"

# Errors that the paper calls no learning are at least 88 % of the error of guessing.
_NEAR_CHANCE = 0.85
# For five models this allows one pair of neighbours in the wrong order.
_IN_ORDER = 0.9

Errors = Mapping[str, float]


@dataclasses.dataclass(frozen=True)
class Claim:
    """A conclusion of the paper, and its check.

    Attributes:
        name: Its number in the paper, or the experiment and a keyword.
        statement: The conclusion.
        test: The condition under which it holds, in words.
        models: Names of the compared columns.
        check: The condition: takes the errors in percent by column and the error of
            guessing in percent.
    """

    name: str
    statement: str
    test: str
    models: tuple[str, ...]
    check: Callable[[Errors, float], bool]


@dataclasses.dataclass(frozen=True)
class Finding:
    """The verdict on a claim for a setup.

    Attributes:
        claim: The claim.
        verdict: `HOLDS`, `FAILS` or `UNKNOWN`.
        errors: Mean error in percent of each compared model that has a complete seed.
        seeds: The seeds for which all compared models are complete.
        papers: Number of the paper's data sets on which its own figures pass the check,
            and number of those that have all the figures.
    """

    claim: Claim
    verdict: str
    errors: dict[str, float]
    seeds: tuple[int, ...]
    papers: tuple[int, int]


# Setups, None without results, with their findings.
Checked = Sequence[tuple[Setup | None, Sequence[Finding]]]


def evaluate(setup: Setup | None, store: Store) -> list[Finding]:
    """Checks every claim on a setup; on None every claim is unknown."""
    return [_evaluate(claim, setup, store) for claim in CLAIMS]


def _evaluate(claim, setup, store):
    by_model = {
        model: errors_of(setup, COLUMNS[model], store) if setup else {}
        for model in claim.models
    }
    seeds = set.intersection(*map(set, by_model.values()))
    # Means are over the common seeds; without any, over each model's own, for display.
    errors = {
        model: statistics.fmean(by_seed[seed] for seed in (seeds or by_seed))
        for model, by_seed in by_model.items()
        if by_seed
    }
    verdict = UNKNOWN
    if seeds:
        chance = 100 * chance_error(setup.dataset.num_classes)
        verdict = HOLDS if claim.check(errors, chance) else FAILS
    return Finding(claim, verdict, errors, tuple(sorted(seeds)), papers(claim))


def papers(claim: Claim) -> tuple[int, int]:
    """Number of the paper's data sets that pass the check, and that have figures."""
    passed = known = 0
    for row, classes in printed.CLASSES.items():
        figures = {model: printed.error(row, model) for model in claim.models}
        errors = {model: error for model, error in figures.items() if error is not None}
        if len(errors) == len(figures):
            known += 1
            passed += bool(claim.check(errors, 100 * chance_error(classes)))
    return passed, known


def _no_worse(model: str, than: str, errors: Errors) -> bool:
    """Not worse by 3 points or more."""
    return mark(errors[model], errors[than]) != "worse"


def _better(model: str, than: str, errors: Errors) -> bool:
    """Better by 3 points or more."""
    return mark(errors[model], errors[than]) == "better"


def _alike(models: Sequence[str]) -> Callable[[Errors, float], bool]:
    def check(errors, chance):
        figures = [errors[model] for model in models]
        return mark(max(figures), min(figures)) is None

    return check


def _in_order(models: Sequence[str]) -> Callable[[Errors, float], bool]:
    def check(errors, chance):
        figures = [errors[model] for model in models]
        if len(set(figures)) == 1:
            return False
        falling = range(len(models), 0, -1)
        correlation = scipy.stats.spearmanr(falling, figures).statistic
        falls = _better(models[-1], models[0], errors)
        return falls and correlation >= _IN_ORDER - 1e-9

    return check


def _near_chance(error: float, chance: float) -> bool:
    return error >= _NEAR_CHANCE * chance


_STRICT = ("uSF+BN+BM", "brSF+BN+BM", "frSF+BN+BM")
_B1, _B2 = (
    tuple(c.name for c in EXPERIMENTS[name].columns if c.name != "SGD")
    for name in ("B1", "B2")
)
_TOPS = tuple(c.name for c in EXPERIMENTS["C2"].columns if c.clamped == "Top")
_BM, _USF_BM = (
    tuple(f"{prefix}{setting}" for setting in (1, 2, 3))
    for prefix in ("BM", "uSF+BN+BM")
)
COLUMNS = {c.name: c for e in EXPERIMENTS.values() for c in e.columns}

CLAIMS = (
    Claim(
        "I",
        "The magnitudes of feedback weights do not matter.",
        "the three are within 3 points of each other",
        _STRICT,
        _alike(_STRICT),
    ),
    Claim(
        "II",
        "The magnitudes of weight updates do not matter.",
        "BM is not worse than SGD, nor BN+BM than BN, by 3 points or more",
        ("SGD", "BM", "BN", "BN+BM"),
        lambda e, _: _no_worse("BM", "SGD", e) and _no_worse("BN+BM", "BN", e),
    ),
    Claim(
        "III",
        "Asymmetric rules need a normalization or stabilization.",
        "uSF is worse than SGD by 3 points or more; uSF+BN and uSF+BN+BM are not",
        ("SGD", "uSF", "uSF+BN", "uSF+BN+BM"),
        lambda e, _: (
            _better("SGD", "uSF", e)
            and _no_worse("uSF+BN", "SGD", e)
            and _no_worse("uSF+BN+BM", "SGD", e)
        ),
    ),
    Claim(
        "IV",
        "Learning works without weight transport. (The conclusion that a brain could "
        "learn this way is an argument; the check tests only its premise.)",
        "none of the three is worse than SGD by 3 points or more",
        ("SGD", *_STRICT),
        lambda e, _: all(_no_worse(model, "SGD", e) for model in _STRICT),
    ),
    Claim(
        "V, signs",
        "Sign concordance is very important.",
        "with all signs wrong both are worse by 3 points or more",
        ("brSF+BN+BM", "brSF-100+BN+BM", "frSF+BN+BM", "frSF-100+BN+BM"),
        lambda e, _: (
            _better("brSF+BN+BM", "brSF-100+BN+BM", e)
            and _better("frSF+BN+BM", "frSF-100+BN+BM", e)
        ),
    ),
    Claim(
        "V, chance",
        "Even fixed random feedback, with batch normalization, is far from chance.",
        "RndF+BN is below 85 % of the error of guessing",
        ("RndF+BN",),
        lambda e, chance: not _near_chance(e["RndF+BN"], chance),
    ),
    Claim(
        "VI",
        "With batch normalization, Batch Manhattan often improves.",
        "BN+BM has a lower error than BN",
        ("BN", "BN+BM"),
        lambda e, _: e["BN+BM"] < e["BN"],
    ),
    Claim(
        "A, uSF",
        "Uniform feedback alone often explodes.",
        "uSF is at 85 % of the error of guessing or above",
        ("uSF",),
        lambda e, chance: _near_chance(e["uSF"], chance),
    ),
    Claim(
        "A, NuSF",
        "Normalized by the filter's number of inputs it does not explode.",
        "NuSF is better than uSF by 3 points or more",
        ("uSF", "NuSF"),
        lambda e, _: _better("NuSF", "uSF", e),
    ),
    Claim(
        "A, vanishing",
        "But the error that it propagates vanishes.",
        "NuSF is worse than uSF+BN+BM by 3 points or more",
        ("NuSF", "uSF+BN+BM"),
        lambda e, _: _better("uSF+BN+BM", "NuSF", e),
    ),
    Claim(
        "A, robust",
        "uSF+BN+BM performs well.",
        "uSF+BN+BM is not worse than SGD by 3 points or more",
        ("SGD", "uSF+BN+BM"),
        lambda e, _: _no_worse("uSF+BN+BM", "SGD", e),
    ),
    Claim(
        "B1, order",
        "Error falls as sign concordance rises, drawn anew for each batch.",
        "rank correlation of error and wrong signs is 0.9 or more, and all signs wrong "
        "is worse than none by 3 points or more",
        _B1,
        _in_order(_B1),
    ),
    Claim(
        "B2, order",
        "Error falls as sign concordance rises, drawn once.",
        "rank correlation of error and wrong signs is 0.9 or more, and all signs wrong "
        "is worse than none by 3 points or more",
        _B2,
        _in_order(_B2),
    ),
    Claim(
        "C1, RndF",
        "Fixed random feedback alone does not perform well.",
        "RndF is worse than SGD by 3 points or more",
        ("SGD", "RndF"),
        lambda e, _: _better("SGD", "RndF", e),
    ),
    Claim(
        "C1, BN",
        "Batch normalization makes it much better.",
        "RndF+BN is better than RndF by 3 points or more",
        ("RndF", "RndF+BN"),
        lambda e, _: _better("RndF+BN", "RndF", e),
    ),
    Claim(
        "C1, signs",
        "It remains worse than its sign-concordant counterpart.",
        "RndF+BN+BM has a higher error than uSF+BN+BM",
        ("RndF+BN+BM", "uSF+BN+BM"),
        lambda e, _: e["RndF+BN+BM"] > e["uSF+BN+BM"],
    ),
    Claim(
        "C1, BM",
        "Batch Manhattan alone does not help it; with batch normalization it works.",
        "RndF+BM is not better than RndF by 3 points, and RndF+BN+BM is better than "
        "RndF+BM",
        ("RndF", "RndF+BM", "RndF+BN+BM"),
        lambda e, _: (
            not _better("RndF+BM", "RndF", e) and e["RndF+BN+BM"] < e["RndF+BM"]
        ),
    ),
    Claim(
        "C2, Top",
        "If only the last layer learns, all models perform alike.",
        "the four are within 3 points of each other",
        _TOPS,
        _alike(_TOPS),
    ),
    Claim(
        "C2, co-adaptation",
        "Random feedback works if the last layer and the layers below learn together.",
        "RndF+BN+BM is better than its Bottom and its Top by 3 points or more",
        ("RndF+BN+BM", "RndF+BN+BM Bottom", "RndF+BN+BM Top"),
        lambda e, _: all(
            _better("RndF+BN+BM", f"RndF+BN+BM {part}", e) for part in ("Bottom", "Top")
        ),
    ),
    Claim(
        "C2, RndF Bottom",
        "Below a clamped last layer random feedback learns nothing.",
        "both are at 85 % of the error of guessing or above",
        ("RndF Bottom", "RndF+BN+BM Bottom"),
        lambda e, chance: all(_near_chance(error, chance) for error in e.values()),
    ),
    Claim(
        "C2, uSF Bottom",
        "Below a clamped last layer sign-concordant feedback learns.",
        "uSF+BN+BM Bottom is below 85 % of the error of guessing, and better than "
        "RndF+BN+BM Bottom by 3 points or more",
        ("uSF+BN+BM Bottom", "RndF+BN+BM Bottom"),
        lambda e, chance: (
            not _near_chance(e["uSF+BN+BM Bottom"], chance)
            and _better("uSF+BN+BM Bottom", "RndF+BN+BM Bottom", e)
        ),
    ),
    Claim(
        "BM, BP",
        "Settings 1, 2 and 3 of Batch Manhattan perform alike with backpropagation.",
        "the three are within 3 points of each other",
        _BM,
        _alike(_BM),
    ),
    Claim(
        "BM, uSF",
        "Settings 1, 2 and 3 perform alike with uSF and batch normalization.",
        "the three are within 3 points of each other",
        _USF_BM,
        _alike(_USF_BM),
    ),
    Claim(
        "BM, all four",
        "Setting 0, SGD, performs like them. (The paper claims only 1, 2 and 3.)",
        "settings 0 to 3 are within 3 points of each other, and with uSF and BN too",
        ("SGD", *_BM, "uSF+BN", *_USF_BM),
        lambda e, chance: (
            _alike(("SGD", *_BM))(e, chance) and _alike(("uSF+BN", *_USF_BM))(e, chance)
        ),
    ),
)
