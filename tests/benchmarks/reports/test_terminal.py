import io
import re

import pytest
import rich.console

from keras_asymbp.benchmarks.reports import terminal
from keras_asymbp.benchmarks.results import assessment, inventory
from keras_asymbp.benchmarks.results.store import Store
from keras_asymbp.benchmarks.tables import experiments


def shown(table, width, show=terminal.show, **options):
    console = rich.console.Console(file=io.StringIO(), width=width, **options)
    show(table, console)
    return console.file.getvalue()


def grid(text):
    """The cells of the rows of a printed table, heading left out."""
    return [
        [cell.strip() for cell in line.split("│")[1:-1]]
        for line in text.splitlines()
        if line.startswith("│")
    ]


def test_a_wide_terminal_shows_the_table_as_printed(make_table):
    text = shown(make_table(), width=100)
    assert grid(text) == [
        ["mnist_5k", "3.00", "5.99", "(1 of 2 trials)"],
        ["paper: MNIST", "0.67", "85.50▲", "3.85▲"],
    ]
    assert "Experiment X (Table 0): error, %" in text
    assert "▲ (yellow): worse than the baseline (SGD)" in text


def test_a_narrow_terminal_shows_a_line_for_each_model(make_table):
    errors = [(0.03, 0.5), (0.06, 0.5), (0.5,), (), (0.9, 0.8), ()]
    text = shown(make_table(experiments.get("C2").columns[:6], errors), width=60)
    assert grid(text) == [
        ["SGD", "3.00", "0.67"],
        ["SGD Bottom", "6.00▲", "0.65"],
        ["SGD Top", "(1 of 2 trials)", "3.85▲"],
        ["RndF", "not run", "1.81"],
        ["RndF Bottom", "80.00▲", "85.50▲"],
        ["RndF Top", "(1 of 2 trials)", "3.81▲"],
    ]
    assert max(map(len, text.splitlines())) <= 60


@pytest.mark.parametrize(("width", "rows"), [(200, 2), (80, 12)])
def test_c2_fits_a_usual_terminal(width, rows, make_table):
    columns = experiments.get("C2").columns
    text = shown(make_table(columns, [(0.5, 0.9)] * 12), width)
    assert len(grid(text)) == rows
    assert max(map(len, text.splitlines())) <= width
    assert text.count("50.00") == 12
    for figure in ("0.67", "86.74▲", "3.81▲", "85.50▲"):
        assert figure in text


def test_marks_have_a_colour_on_a_terminal(make_table):
    errors = ((0.09, 0.5), (0.9, 0.0599), (0.13, 0.5))
    text = shown(
        make_table(errors=errors), 100, force_terminal=True, color_system="standard"
    )
    assert re.findall(r"\x1b\[(\d+)m *([\d.]+[▲▼])", text) == [
        ("94", "5.99▼"),  # bright blue
        ("33", "13.00▲"),  # yellow
        ("33", "85.50▲"),
        ("33", "3.85▲"),
    ]
    assert re.search(r"│ *9\.00 *│", text)
    assert re.search(r"│ *0\.67 *│", text)


@pytest.mark.parametrize("show", [terminal.show, terminal.show_plain])
def test_no_colour_codes_where_there_is_no_terminal(show, make_table):
    assert "\x1b" not in shown(make_table(), 40, show)


def test_plain_output_is_the_markdown_table(make_table):
    columns = experiments.get("C2").columns
    lines = shown(make_table(columns, [(0.5, 0.9)] * 12), 40, terminal.show_plain)
    heading, _, ours, theirs, _, legend = lines.splitlines()
    assert heading.split(" | ")[1:-1] == [column.name for column in columns][:-1]
    assert ours == "| mnist_5k |" + " 50.00 |" * 12
    assert theirs.startswith("| paper: MNIST | 0.67 | 0.65 | 3.85▲ | 1.81 | 85.50▲ |")
    assert legend.startswith("▲ (yellow)")


@pytest.mark.parametrize("show", [terminal.show, terminal.show_plain])
def test_the_reason_of_a_failure_is_shown(show, make_plan, table_of, columns):
    plan = make_plan(columns[:1], learning_rates=(0.5,))
    table = table_of(plan, dict.fromkeys(plan.cells(), "out of memory"))
    assert "failed: out of memory" in " ".join(shown(table, 200, show).split())


@pytest.mark.parametrize("width", [60, 80, 250])
def test_claims_in_a_terminal(width, tmp_path, finish, make_cell):
    store = Store(tmp_path)
    for name, error in (("SGD", 0.3), ("RndF", 0.4), ("NuSF", 0.35)):
        column = next(c for c in experiments.get("C1").columns if c.name == name)
        cell = make_cell(column, epochs=7, learning_rates=(0.5,))
        finish(store, cell, cell.trials()[0], error)
    held = inventory.take(store)
    assessed = assessment.assess(held, held.setups, held.plans())
    console = rich.console.Console(
        file=io.StringIO(), width=width, force_terminal=True, no_color=True
    )
    terminal.show_claims(assessed, (), console)
    text = re.sub(r"\x1b\[[0-9;]*m", "", console.file.getvalue())
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text  # no word is cut
    assert "mnist_5k (no preset)" in text
    # The columns side by side: the verdict stands once, before the claim.
    lines = [" ".join(line.split()) for line in text.splitlines()]
    start = lines.index(
        next(line for line in lines if line.startswith("holds C1, RndF: Fixed random "))
    )
    block = " ".join(lines[start : start + 5])
    assert "holds if RndF is worse than SGD by a margin; the paper: 15 of 15" in block
    assert re.search(r"RndF - SGD \+3\.33 \(\+1\.9\d to \+4\.\d\d\) > 1", block)
    text = " ".join(text.split())
    assert "the paper: no figures" in text
    assert "Verdicts: holds 1, " in text
    assert "Rank correlation with Table 4, left of the paper: 0.50 (" in text
    assert "A margin is the paper's 3 points" in text
