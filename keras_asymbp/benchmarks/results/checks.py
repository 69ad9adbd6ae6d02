"""The inequalities that claims consist of, and the evidence on each.

Every inequality is about an effect in margins (see `margin`) with an upper or a lower
limit, or both: it holds if the effect is between them.
"""

import dataclasses
import math
import statistics
from collections.abc import Callable, Mapping, Sequence

from keras_asymbp.benchmarks.results.inference import Evidence, Hits, Student
from keras_asymbp.benchmarks.results.margin import in_margins, slope

# Standard deviation of rounding to whole numbers.
_ROUNDING = 1 / math.sqrt(12)

# From an error, a share in (0, 1), to margins.
Scale = Callable[[float], float]


@dataclasses.dataclass(frozen=True)
class Sample:
    """The results of a setup.

    Attributes:
        errors: Errors in percent by model and seed.
        examples: Number of test examples.
        guessing: The error of guessing in percent.
        looks: Of how many test errors each is the lowest.
    """

    errors: Mapping[str, Mapping[int, float]]
    examples: int
    guessing: float
    looks: int = 1

    def seeds(self, models: Sequence[str]) -> tuple[int, ...]:
        """The seeds for which all these models are complete."""
        return tuple(
            sorted(set.intersection(*(set(self.errors.get(m, ())) for m in models)))
        )

    def share(self, model: str, seed: int) -> float:
        """An error as a share; half an example keeps it from 0 and 1."""
        wrong = self.errors[model][seed] / 100 * self.examples
        return (wrong + 0.5) / (self.examples + 1)


@dataclasses.dataclass(frozen=True)
class Contrast:
    """An inequality between errors of models.

    The effect is the sum of weighted errors in margins. With several seeds its interval
    is over seeds; with one it is over test examples, from the binomial variance of each
    error.

    Attributes:
        label: The effect, in words.
        weights: Each model with its weight; they sum to 0.
        above: The effect's lower limit in margins.
        below: Its upper limit.
    """

    label: str
    weights: tuple[tuple[str, int], ...]
    above: float = -math.inf
    below: float = math.inf

    @property
    def models(self) -> tuple[str, ...]:
        """The compared models."""
        return tuple(model for model, _ in self.weights)

    def replaced(self, model: str, other: str) -> "Contrast":
        """The same inequality with another model in place of one."""
        weights = tuple((other if m == model else m, w) for m, w in self.weights)
        return dataclasses.replace(self, weights=weights)

    def points(self, errors: Mapping[str, float], guessing: float) -> float:
        """The effect in points of error."""
        return sum(weight * errors[model] for model, weight in self.weights)

    def passes(
        self, errors: Mapping[str, float], guessing: float, scale: Scale = in_margins
    ) -> bool:
        """Whether exact errors in percent, none of them 0 or 100, satisfy it."""
        effect = sum(w * scale(errors[model] / 100) for model, w in self.weights)
        return self.above < effect < self.below

    def evidence(self, sample: Sample) -> Evidence:
        """The effect in margins, over the seeds that the models share."""
        shares = [
            [sample.share(model, seed) for model in self.models]
            for seed in sample.seeds(self.models)
        ]
        weights = [weight for _, weight in self.weights]
        effects = [
            sum(w * in_margins(s) for w, s in zip(weights, of_seed, strict=True))
            for of_seed in shares
        ]
        means = [statistics.fmean(of_model) for of_model in zip(*shares, strict=True)]
        slopes = [w * slope(s) for w, s in zip(weights, means, strict=True)]
        if len(effects) > 1:
            return Student.over_seeds(
                effects, _ROUNDING / sample.examples * math.hypot(*slopes)
            )
        deviations = [
            w * math.sqrt(s * (1 - s) / (sample.examples + 1))
            for w, s in zip(slopes, means, strict=True)
        ]
        return Student(effects[0], math.hypot(*deviations))


@dataclasses.dataclass(frozen=True)
class Guessing:
    """An inequality between guessing and a model, by the exact binomial test.

    The effect is the error of guessing minus the model's, in margins. Each seed is
    tested by itself, on the number of its correct test examples, and the largest p
    counts: what is asserted must be true of every seed. The lowest of many test errors
    can be below that of guessing by chance, so that p of being better is multiplied by
    their number (Bonferroni).

    Attributes:
        model: The model.
        above: The effect's lower limit in margins.
        below: Its upper limit.
    """

    model: str
    above: float = -math.inf
    below: float = math.inf

    @property
    def label(self) -> str:
        """The effect, in words."""
        return f"guessing - {self.model}"

    @property
    def models(self) -> tuple[str, ...]:
        """The only model."""
        return (self.model,)

    def replaced(self, model: str, other: str) -> "Guessing":
        """The same inequality of another model."""
        return dataclasses.replace(self, model=other)

    def points(self, errors: Mapping[str, float], guessing: float) -> float:
        """The effect in points of error."""
        return guessing - errors[self.model]

    def passes(
        self, errors: Mapping[str, float], guessing: float, scale: Scale = in_margins
    ) -> bool:
        """Whether an exact error in percent, not 0 or 100, satisfies it."""
        effect = scale(guessing / 100) - scale(errors[self.model] / 100)
        return self.above < effect < self.below

    def evidence(self, sample: Sample) -> Evidence:
        """The effect in margins, with every seed."""
        correct = tuple(
            round((1 - error / 100) * sample.examples)
            for error in sample.errors[self.model].values()
        )
        return Hits(correct, sample.examples, sample.guessing / 100, sample.looks)


Check = Contrast | Guessing


def better(model: str, than: str) -> Contrast:
    """Better by more than a margin."""
    return _difference(than, model, above=1)


def lower(model: str, than: str) -> Contrast:
    """A lower error, by any amount."""
    return _difference(than, model, above=0)


def no_worse(model: str, than: str) -> Contrast:
    """Not worse by a margin."""
    return _difference(model, than, below=1)


def alike(model: str, other: str) -> Contrast:
    """Equivalent: within a margin of each other."""
    return _difference(model, other, above=-1, below=1)


def greater_step(step: tuple[str, str], than: tuple[str, str]) -> Contrast:
    """The error falls more, in margins, in one step than in another."""
    weights: dict[str, int] = {}
    for (start, end), sign in ((step, 1), (than, -1)):
        weights[start] = weights.get(start, 0) + sign
        weights[end] = weights.get(end, 0) - sign
    label = " - ".join(f"({start} - {end})" for start, end in (step, than))
    return Contrast(label, tuple(weights.items()), above=0)


def learns(model: str) -> Guessing:
    """Better than guessing, by any amount."""
    return Guessing(model, above=0)


def guesses(model: str) -> Guessing:
    """Not better than guessing by a margin."""
    return Guessing(model, below=1)


def _difference(model, other, **limits):
    return Contrast(f"{model} - {other}", ((model, 1), (other, -1)), **limits)
