"""Figures and settings as text, the same in every report."""

import math
from collections.abc import Sequence

from keras_asymbp.benchmarks.results.agreement import Agreement
from keras_asymbp.benchmarks.results.assessment import Assessment
from keras_asymbp.benchmarks.results.checks import Check
from keras_asymbp.benchmarks.results.comparison import Comparison
from keras_asymbp.benchmarks.results.margin import FACTOR, POINTS
from keras_asymbp.benchmarks.results.table import Entry, Table
from keras_asymbp.benchmarks.results.verdicts import (
    FAILS,
    HOLDS,
    UNDECIDED,
    VERDICTS,
    Finding,
    Tested,
    counts,
)
from keras_asymbp.benchmarks.results.verdicts import UNKNOWN as UNKNOWN_VERDICT
from keras_asymbp.benchmarks.tables import labels
from keras_asymbp.benchmarks.tables.plan import Setup

# Each mark has a sign too, so that colour is never the only cue.
_SIGNS = {"worse": "▲", "better": "▼", None: ""}
UNKNOWN = "?"
_LEGEND = (
    "▲ (yellow): worse than the baseline ({baseline}) by 3 points or more; "
    "▼ (blue): better by 3 points or more. "
    "±: standard deviation between seeds. ?: unknown."
)


def legend(table: Table) -> str:
    """Explains a table's signs, and names the models that are the same runs."""
    signs = _LEGEND.format(baseline=table.experiment.baseline)
    same = (" and ".join(names) for names in table.rows[0].plan.same_runs())
    return " ".join([signs, *(f"{names} are the same runs." for names in same)])


def changes(setup: Setup) -> str:
    """Requested deviations from the defaults, as the end of a sentence."""
    return "".join(f", {part}" for part in labels.requested(setup) if part)


def ours(entry: Entry) -> str:
    """Our error with sign, spread and missing trials; or the failures."""
    if entry.failures:
        return f"failed: {'; '.join(dict.fromkeys(entry.failures.values()))}"
    done, expected = len(entry.trials), entry.expected
    missing = f"({done} of {expected} trials)" if done < expected else ""
    if entry.error is None:
        return missing if done else "not run"
    text = f"{entry.error:.2f}{_SIGNS[entry.mark]}"
    if entry.spread is not None:
        text += f" ±{entry.spread:.2f}"
    return f"{text} {missing}".rstrip()


def interval(comparison: Comparison) -> str:
    """The 95 % interval of a difference, in points."""
    if comparison.low is None:
        return "the same in each seed"
    return f"{comparison.low:+.2f} to {comparison.high:+.2f}"


def paper(entry: Entry) -> str:
    """The paper's figure and sign."""
    if entry.paper is None:
        return UNKNOWN
    return f"{entry.paper:.2f}{_SIGNS[entry.paper_mark]}"


# The rule of the verdicts, beside every result; docs/claims.md has its reasons.
RULE = (
    "A claim is a set of inequalities between errors. It holds if all of them hold, it "
    "does not hold if one does not, and otherwise it is undecided. An inequality is "
    "decided if the 95 % interval of its effect is on one side of its limits and p, "
    "adjusted by Holm's method for all inequalities on the data set, is 0.05 or less. "
    "With several seeds the interval is over seeds (paired, Student's t). With one "
    "seed it is over test examples (binomial), and the verdict is about these trained "
    "networks only. Seeds share their test examples, whose choice no interval over "
    "seeds includes. Guessing names the largest class; it is compared by the exact "
    "binomial test, each seed by itself, and p of being better is multiplied by the "
    "number of epochs and rates of which the error is the lowest."
)
MARGIN = (
    f"Effects are in margins. A margin is the paper's {POINTS:g} points or a factor of "
    f"{FACTOR:g} between the odds of an error, whichever is smaller; the factor is "
    "the smaller one below 8 % and above 92 %. Models are alike if the interval of "
    "their difference is within one margin on both sides: a test of equivalence."
)
COULD_FAIL = (
    '"Could fail": each compared model in turn is replaced by each other model of the '
    "paper, with its printed figures on this data set; the number of replacements that "
    "fail the inequality, of all. Where it is 0, nothing in the paper could fail it. "
    "In parentheses, the same with a margin of 3 points at every error."
)


def signed(value: float) -> str:
    """A difference, without a negative zero.

    >>> signed(-0.001), signed(1.5)
    ('+0.00', '+1.50')
    """
    return f"{round(value, 2) + 0.0:+.2f}"


def margins(tested: Tested) -> str:
    """An effect in margins with its 95 % interval."""
    ends = f"{signed(tested.low)} to {signed(tested.high)}"
    return f"{signed(tested.effect)} ({ends})"


def limits(check: Check) -> str:
    """The limits of an inequality's effect in margins."""
    if math.isinf(check.below):
        return f"> {check.above:g}"
    if math.isinf(check.above):
        return f"< {check.below:g}"
    return f"{check.above:g} to {check.below:g}"


def p_value(value: float) -> str:
    """A p-value.

    >>> p_value(0.00002), p_value(0.0312)
    ('< 0.001', '0.031')
    """
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def failing(tested: Tested) -> str:
    """How many replacements fail an inequality, by our margin and by 3 points."""
    (failed, of), (by_points, _) = tested.could_fail, tested.could_fail_by_points
    return f"{failed} of {of} ({by_points})" if of else UNKNOWN


# Each verdict's name in the style sheet, its sign, and its words for several and one.
VERDICT_WORDS = {
    HOLDS: ("holds", "✓", "hold", HOLDS),
    FAILS: ("fails", "✗", "do not hold", FAILS),
    UNDECIDED: ("undecided", "~", UNDECIDED, UNDECIDED),
    UNKNOWN_VERDICT: ("unknown", "?", UNKNOWN_VERDICT, UNKNOWN_VERDICT),
}


def by_verdict(findings: Sequence[Finding]) -> list[tuple[str, str, str, list[str]]]:
    """Of each verdict its name, its sign, its words, and the claims that have it."""
    found = []
    for verdict, (kind, sign, several, one) in VERDICT_WORDS.items():
        names = [f.claim.name for f in findings if f.verdict == verdict]
        found.append((kind, sign, one if len(names) == 1 else several, names))
    return found


def agreement(found: Agreement) -> tuple[str, str, str]:
    """The agreement with printed figures as one sentence: around its number."""
    interval = ""
    if found.low is not None and found.high is not None:
        interval = f" (95 % interval {bounds(found.low, found.high)})"
    correlation = UNKNOWN if found.correlation is None else f"{found.correlation:.2f}"
    before = f"Agreement with {found.place}: rank correlation "
    return before, correlation, f"{interval} of {found.models} models."


def basis(assessment: Assessment) -> str:
    """The basis of the verdicts' intervals; empty without any."""
    numbers = {len(t.seeds) for f in assessment.findings for t in f.tested}
    if not numbers or assessment.setup is None:
        return ""
    if numbers == {1}:
        return (
            "1 seed: verdicts rest on 95 % intervals over "
            f"{assessment.setup.test_examples:,} test examples, and are about these "
            "trained networks only."
        )
    least, most = min(numbers), max(numbers)
    seeds = f"{least} to {most}" if least < most else f"{most}"
    return f"Verdicts rest on 95 % intervals over {seeds} seeds."


def titles(assessments: Sequence[Assessment]) -> list[str]:
    """Headings of assessments that are shown together: setup and preset."""
    setups = [assessment.setup for assessment in assessments if assessment.setup]
    names = labels.labels(setups)
    return [
        f"{name} ({f'preset {setup.preset}' if setup.preset else 'no preset'})"
        for name, setup in zip(names, setups, strict=True)
    ] or ["No results"]


def summary(assessment: Assessment) -> str:
    """The number of claims by verdict, with and without the correction."""
    of_all = len(assessment.findings)
    text = f"Claims: {of_all}. Verdicts: {_tally(counts(assessment.findings))}."
    if number := assessment.inequalities:
        without = _tally(counts(assessment.findings, corrected=False))
        text += (
            f" Inequalities: {number}. Without the correction for their number: "
            f"{without}."
        )
    tested = (tested for finding in assessment.findings for tested in finding.tested)
    if any(len(inequality.seeds) == 1 for inequality in tested):
        text += " With one seed, intervals are over test examples."
    return text


def bounds(low: float | None, high: float | None) -> str:
    """The ends of an interval, or unknown."""
    return UNKNOWN if low is None or high is None else f"{low:.2f} to {high:.2f}"


def _tally(found):
    return ", ".join(f"{verdict} {found[verdict]}" for verdict in VERDICTS)
