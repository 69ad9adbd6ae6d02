"""Tables of measurements, from the files made by --json.

Beside its source a file has `device` and `load`. Each of its rows has `question` and
`title` beside the fields of `measure.row`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from benchmarks.measurements import Record
from benchmarks.speed.measure import met
from keras_asymbp.benchmarks.escaping import markdown

_TITLES = (
    *("case", "what", "figure", "by processor time", "range", "goal", "met", "rounds"),
    *("others' cores", "note"),
)


def tables(records: Iterable[Record]) -> str:
    """Markdown: a table for each question of each record, with its source."""
    parts = []
    for record in records:
        grouped: dict[str, list] = {}
        for entry in record["rows"]:
            grouped.setdefault(entry["title"], []).append(entry)
        for title, rows in grouped.items():
            lines = [f"## {title}", "", source(record), "", table(rows)]
            parts.append("\n".join(lines))
    return "\n\n".join(parts)


def source(record: Record) -> str:
    """The source of the figures, in one line."""
    machine = record["machine"]
    versions = ", ".join(f"{name} {v}" for name, v in record["versions"].items())
    return (
        f"`{record['command']}`, {record['date']}, {record['device']}, "
        f"{machine['processor']}, {machine['cores']} cores, {machine['threads']} "
        f"threads, oneDNN {machine['onednn']}, load {record['load']}; {versions}"
    )


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """One table."""
    found = []
    for entry in rows:
        goal = ""
        if entry.get("goal") is not None:
            goal = f"{entry['sense']} {entry['goal']:g}"
        between = ""
        if entry.get("low") is not None:
            between = f"{_number(entry['low'])} to {_number(entry['high'])}"
        cells = [
            entry["case"],
            entry["name"],
            f"{_number(entry['figure'])} {entry['unit']}".strip(),
            _number(entry.get("figure_cpu")),
            between,
            goal,
            {None: "", True: "yes", False: Markup("**no**")}[met(entry)],
            entry.get("rounds", ""),
            _number(entry.get("others")),
            entry.get("note", ""),
        ]
        found.append(cells)
    return markdown.table(_TITLES, found, alignment="llrrrrlrrl")


def _number(value):
    if value is None:
        return ""
    return f"{value:.4f}" if abs(value) < 0.1 and value else f"{value:.3f}"
