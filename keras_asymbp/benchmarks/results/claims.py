"""The paper's conclusions and observations, each as a set of inequalities.

A claim holds if all of its inequalities hold. `verdicts` evaluates them.
"""

import dataclasses
import functools
import itertools
from collections.abc import Sequence

from keras_asymbp.benchmarks.results.checks import (
    Check,
    alike,
    better,
    greater_step,
    guesses,
    learns,
    lower,
    no_worse,
)
from keras_asymbp.benchmarks.tables.experiments import EXPERIMENTS

# Ends the names of models trained on the most examples that the folder has.
ON_MORE = " (most examples)"


@dataclasses.dataclass(frozen=True)
class Claim:
    """A conclusion of the paper.

    Attributes:
        name: Its number in the paper, or the experiment and a keyword.
        statement: The conclusion.
        test: The condition under which it holds, in words.
        checks: The inequalities that make up the condition.
    """

    name: str
    statement: str
    test: str
    checks: tuple[Check, ...]

    @functools.cached_property
    def models(self) -> tuple[str, ...]:
        """Names of the compared columns."""
        names = (model for check in self.checks for model in check.models)
        return tuple(dict.fromkeys(names))


def _all_alike(models: Sequence[str]) -> tuple[Check, ...]:
    return tuple(itertools.starmap(alike, itertools.combinations(models, 2)))


def _falling(models: Sequence[str]) -> tuple[Check, ...]:
    steps = (no_worse(after, before) for before, after in itertools.pairwise(models))
    return (*steps, better(models[-1], models[0]))


_STRICT = ("uSF+BN+BM", "brSF+BN+BM", "frSF+BN+BM")
_B1, _B2 = (
    tuple(c.name for c in EXPERIMENTS[name].columns if c.name != "SGD")
    for name in ("B1", "B2")
)
_BM, _USF_BM = (
    tuple(f"{prefix}{setting}" for setting in (1, 2, 3))
    for prefix in ("BM", "uSF+BN+BM")
)
COLUMNS = {c.name: c for e in EXPERIMENTS.values() for c in e.columns}

CLAIMS = (
    Claim(
        "I",
        "The magnitudes of feedback weights do not matter.",
        "the three are alike",
        _all_alike(_STRICT),
    ),
    Claim(
        "II",
        "The magnitudes of weight updates do not matter.",
        "BM is not worse than SGD by a margin, nor BN+BM than BN",
        (no_worse("BM", "SGD"), no_worse("BN+BM", "BN")),
    ),
    Claim(
        "III",
        "Asymmetric rules need a normalization or stabilization.",
        "uSF is worse than SGD by a margin; uSF+BN and uSF+BN+BM are not",
        (
            better("SGD", "uSF"),
            no_worse("uSF+BN", "SGD"),
            no_worse("uSF+BN+BM", "SGD"),
        ),
    ),
    Claim(
        "III, together",
        "Batch Normalization and Batch Manhattan are complementary, better used "
        "together than individually.",
        "uSF and RndF have a lower error with both than with either",
        tuple(
            lower(f"{rule}+BN+BM", f"{rule}+{one}")
            for rule in ("uSF", "RndF")
            for one in ("BN", "BM")
        ),
    ),
    Claim(
        "IV",
        "Learning works without weight transport. (The conclusion that a brain could "
        "learn this way is an argument; the check tests only its premise.)",
        "none of the three is worse than SGD by a margin",
        tuple(no_worse(model, "SGD") for model in _STRICT),
    ),
    Claim(
        "V, signs",
        "Sign concordance is very important.",
        "with all signs wrong both are worse by a margin",
        tuple(
            better(f"{rule}+BN+BM", f"{rule}-100+BN+BM") for rule in ("brSF", "frSF")
        ),
    ),
    Claim(
        "V, chance",
        "Even fixed random feedback, with batch normalization, outperforms chance.",
        "RndF+BN is better than guessing",
        (learns("RndF+BN"),),
    ),
    Claim(
        "VI",
        "With batch normalization, Batch Manhattan often improves.",
        "BN+BM has a lower error than BN",
        (lower("BN+BM", "BN"),),
    ),
    Claim(
        "VI, small",
        "This is especially true for smaller training sets.",
        "BN+BM gains more over BN here than with the most training examples in the "
        "folder",
        (greater_step(("BN", "BN+BM"), than=(f"BN{ON_MORE}", f"BN+BM{ON_MORE}")),),
    ),
    Claim(
        "A, uSF",
        "Uniform feedback alone often explodes.",
        "uSF is not better than guessing by a margin",
        (guesses("uSF"),),
    ),
    Claim(
        "A, NuSF",
        "Normalized by the filter's number of inputs it does not explode.",
        "NuSF is better than uSF by a margin",
        (better("NuSF", "uSF"),),
    ),
    Claim(
        "A, vanishing",
        "But the error that it propagates vanishes.",
        "NuSF is worse than uSF+BN+BM by a margin",
        (better("uSF+BN+BM", "NuSF"),),
    ),
    Claim(
        "B1, order",
        "Error falls as sign concordance rises, drawn anew for each batch.",
        "no step to fewer wrong signs is worse by a margin, and none wrong is better "
        "than all wrong by a margin",
        _falling(_B1),
    ),
    Claim(
        "B1, shape",
        "Drawn anew, 50 % wrong signs are as bad as 100 %, and the drop comes at 25 %. "
        "(Table 3: 27 points on the median data set. The paper does not discuss it.)",
        "100 and 50 % are alike, and the step from 50 to 25 % gains more than the one "
        "from 100 to 50 %, and more than a margin",
        (
            alike(_B1[0], _B1[2]),
            greater_step((_B1[2], _B1[3]), than=(_B1[0], _B1[2])),
            better(_B1[3], _B1[2]),
        ),
    ),
    Claim(
        "B2, order",
        "Error falls as sign concordance rises, drawn once.",
        "no step to fewer wrong signs is worse by a margin, and none wrong is better "
        "than all wrong by a margin",
        _falling(_B2),
    ),
    Claim(
        "C1, RndF",
        "Fixed random feedback alone does not perform well.",
        "RndF is worse than SGD by a margin",
        (better("SGD", "RndF"),),
    ),
    Claim(
        "C1, BN",
        "Batch normalization makes it much better.",
        "RndF+BN is better than RndF by a margin",
        (better("RndF+BN", "RndF"),),
    ),
    Claim(
        "C1, signs",
        "It remains worse than its sign-concordant counterpart.",
        "RndF+BN+BM has a higher error than uSF+BN+BM",
        (lower("uSF+BN+BM", "RndF+BN+BM"),),
    ),
    Claim(
        "C1, BM",
        "Batch Manhattan alone does not help it; with batch normalization it works.",
        "RndF+BM is not better than RndF by a margin, and RndF+BN+BM has a lower error "
        "than RndF+BM",
        (no_worse("RndF", "RndF+BM"), lower("RndF+BN+BM", "RndF+BM")),
    ),
    Claim(
        "C2, Top",
        "If only the last layer learns, all models perform alike.",
        "those of SGD and RndF+BN+BM are alike; the others are the same runs",
        (alike("SGD Top", "RndF+BN+BM Top"),),
    ),
    Claim(
        "C2, co-adaptation",
        "Random feedback works if the last layer and the layers below learn together.",
        "RndF+BN+BM is better than its Bottom and its Top by a margin",
        tuple(better("RndF+BN+BM", f"RndF+BN+BM {part}") for part in ("Bottom", "Top")),
    ),
    Claim(
        "C2, RndF Bottom",
        "Below a clamped last layer random feedback cannot learn meaningful "
        "representations.",
        "both are worse by a margin than with the layers below at random, their Top",
        tuple(
            better(f"{model} Top", f"{model} Bottom")
            for model in ("RndF", "RndF+BN+BM")
        ),
    ),
    Claim(
        "C2, uSF Bottom",
        "Below a clamped last layer sign-concordant feedback learns.",
        "uSF+BN+BM Bottom is better than guessing, and better than RndF+BN+BM Bottom "
        "by a margin",
        (
            learns("uSF+BN+BM Bottom"),
            better("uSF+BN+BM Bottom", "RndF+BN+BM Bottom"),
        ),
    ),
    Claim(
        "BM, BP",
        "Settings 1, 2 and 3 of Batch Manhattan perform alike with backpropagation.",
        "the three are alike",
        _all_alike(_BM),
    ),
    Claim(
        "BM, uSF",
        "Settings 1, 2 and 3 perform alike with uSF and batch normalization.",
        "the three are alike",
        _all_alike(_USF_BM),
    ),
    Claim(
        "BM, setting 0",
        "Setting 0, SGD, performs like them. (The paper claims only 1, 2 and 3.)",
        "each of settings 1, 2 and 3 is like setting 0, and with uSF and BN too",
        (
            *(alike(model, "SGD") for model in _BM),
            *(alike(model, "uSF+BN") for model in _USF_BM),
        ),
    ),
)
