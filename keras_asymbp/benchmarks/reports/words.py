"""Figures and settings as text, the same in every report."""

from keras_asymbp.benchmarks.results.comparison import Comparison
from keras_asymbp.benchmarks.results.table import Entry, Table
from keras_asymbp.benchmarks.tables.protocol import REVISION, Protocol

# Each mark has a sign too, so that colour is never the only cue.
_SIGNS = {"worse": "▲", "better": "▼", None: ""}
UNKNOWN = "?"
_LEGEND = (
    "▲ (yellow): worse than the baseline ({baseline}) by 3 points or more; "
    "▼ (blue): better by 3 points or more. "
    "±: standard deviation between seeds. ?: unknown."
)


def legend(table: Table) -> str:
    """Explains a table's signs."""
    return _LEGEND.format(baseline=table.experiment.baseline)


def changes(protocol: Protocol) -> str:
    """Requested deviations from the paper, as the end of a sentence."""
    parts = [
        f"{count:,} {kind} examples"
        for kind, count in (
            ("training", protocol.train_examples),
            ("test", protocol.test_examples),
        )
        if count
    ]
    if protocol.architecture:
        parts.append(f"the network '{protocol.architecture}'")
    if protocol.augmentation:
        parts.append(f"{protocol.augmentation} augmentation")
    if protocol.revision != REVISION:
        parts.append(f"revision {protocol.revision} of the suite")
    return "".join(f", {part}" for part in parts)


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
