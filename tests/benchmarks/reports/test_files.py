import base64
import csv
import dataclasses
import hashlib
import html.parser
import io
import json
import re
import shutil
import subprocess
import urllib.parse

import pytest
import rich.console

from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.reports import files
from keras_asymbp.benchmarks.results.store import Store
from keras_asymbp.benchmarks.results.table import Entry, fill
from keras_asymbp.benchmarks.tables import experiments
from keras_asymbp.benchmarks.tables.experiments import Column
from keras_asymbp.benchmarks.tables.protocol import PRESETS

COLUMNS = (
    Column("SGD"),
    Column("RndF Bottom", feedback="RndF", clamped="Bottom"),
    Column("SGD Top", clamped="Top"),
)
HOSTILE = "<script>alert('1')</script>&\"|[x](http://x.example)`*"
ENTRY = Entry({0: 3.0}, 2.5, None, None, ({},), 1)


@pytest.fixture
def make_table(tmp_path, make_plan, finish):
    """A table of made-up errors: two rates, the last column lacks a trial."""

    def make_table(
        columns=COLUMNS, errors=((0.03, 0.5), (0.9, 0.0599), (0.5,)), **plan
    ):
        store = Store(tmp_path)
        plan = make_plan(columns, **{"learning_rates": (0.005, 5e-5)} | plan)
        for cell in plan.cells():
            given = errors[plan.columns.index(cell.column)]
            for trial, error in zip(cell.trials(), given, strict=False):
                finish(store, cell, trial, error + cell.seed / 100)
        return fill(plan, Store(tmp_path))

    return make_table


def written(table, folder, problems=()):
    tables = table if isinstance(table, list) else [table]
    files.write(tables, folder, problems)
    return tuple(
        (folder / name).read_text(encoding="utf-8")
        for name in ("report.md", "report.html")
    )


class Page(html.parser.HTMLParser):
    """The elements and the text of a page."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.rows, self.text = [], [], []
        self._in_cell = self._in_script = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self._in_script = tag in ("script", "style")
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self._in_cell = True

    def handle_endtag(self, tag):
        self._in_cell = self._in_cell and tag not in ("td", "th")

    def handle_data(self, data):
        if self._in_script:
            return
        self.text.append(data)
        if self._in_cell:
            self.rows[-1][-1] += data

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def test_markdown(make_table, tmp_path):
    table = make_table(epochs=4)
    text, _ = written(table, tmp_path, ["trials/x.json is no result; left alone"])
    ids = {
        (trial["model"], trial["settings"]["learning_rate"]): (
            f"[{trial['id']}]({trial['file'].replace(' ', '%20')})"
        )
        for trial in table.trials()
    }
    assert (
        text
        == f"""\
# Experiment X

Of Liao, Leibo and Poggio, "How Important Is Weight Symmetry in Backpropagation?" (AAAI
2016). Preset `quick`: 4 epochs,
2 learning rates, seeds 0. A figure is the lowest
error on the test split over all epochs of all rates, which is what the paper reports as
validation error.

▲ (yellow): worse than the baseline (SGD) by 3 points or more; \
▼ (blue): better by 3 points or more. ±: standard deviation between seeds. ?: unknown.

One seed tells nothing of the spread between seeds: give several, as in `--seeds 0,1,2`.

`mnist_5k` is not the paper's MNIST: \
4,000 + 1,000 images of MNIST, part of this package.

## X: Made up (Table 0)

| error, % | SGD | RndF Bottom | SGD Top |
|:--|--:|--:|--:|
| mnist_5k | 3.00 | 5.99 | (1 of 2 trials) |
| paper: MNIST | 0.67 | 85.50▲ | 3.85▲ |

## Reproduce

    python -m keras_asymbp.benchmarks --exp X --datasets mnist_5k --preset quick \
--epochs 4 --learning_rates 0.005,5e-05 --seeds 0

- 5 trials on P, 2 cores, S; keras-asymbp 0, numpy 1; 2 threads, not deterministic.

The trials were made by:

    python -m keras_asymbp.benchmarks --exp X

## Files that were not used

- trials/x.json is no result; left alone

## Trials

| data set | model | seed | learning rate | error, % | best epoch | seconds | file |
|:--|:--|--:|--:|--:|--:|--:|:--|
| mnist_5k | SGD | 0 | 0.005 | 3.00 | 2 | 1.2 | {ids["SGD", 0.005]} |
| mnist_5k | SGD | 0 | 5e-05 | 50.00 | 2 | 1.2 | {ids["SGD", 5e-5]} |
| mnist_5k | RndF Bottom | 0 | 5e-05 | 5.99 | 2 | 1.2 | {ids["RndF Bottom", 5e-5]} |
| mnist_5k | RndF Bottom | 0 | 0.005 | 90.00 | 2 | 1.2 | {ids["RndF Bottom", 5e-3]} |
| mnist_5k | SGD Top | 0 | 0.005 | 50.00 | 2 | 1.2 | {ids["SGD Top", 5e-3]} |
"""
    )


def test_html_has_the_same_figures(make_table, tmp_path):
    errors = ((0.09, 0.5), (0.9, 0.0599), (0.13, 0.5))
    _, text = written(make_table(errors=errors, seeds=(0, 2)), tmp_path)
    page = Page(text)
    assert page.rows[2:5] == [
        ["error, %", "SGD", "RndF Bottom", "SGD Top"],
        [
            "mnist_5k, ours",
            "10.00 ±1.41",
            "6.99▼ ±1.41 better than the baseline",
            "14.00▲ ±1.41 worse than the baseline",
        ],
        [
            "paper: MNIST",
            "0.67",
            "85.50▲ worse than the baseline",
            "3.85▲ worse than the baseline",
        ],
    ]
    marked = [
        (cell.get("class") or "").removeprefix("figure") for cell in page.all("td")
    ]
    assert marked[3:9] == ["", " better", " worse", "", "worse", "worse"]
    assert page.rows[7] == [
        *("RndF Bottom", "mnist_5k", "6.99▼ ±1.41 better than the baseline"),
        *(
            "85.50▲ worse than the baseline",
            "-3.01",
            "the same in each seed",
            "",
            "0, 2",
        ),
    ]
    assert "All 12 runs are there." in text


def test_what_is_pending_is_said(make_table, tmp_path):
    _, text = written(make_table(), tmp_path)
    assert "5 of 6 runs are there, 1 are pending." in "".join(Page(text).text)
    assert "(1 of 2 trials)" in text


def test_comparisons_are_in_both_reports(make_table, tmp_path, make_plan, finish):
    errors = {"SGD": (0.03, 0.05, 0.04), "RndF Bottom": (0.9, 0.8, 0.85)}
    plan = make_plan(COLUMNS[:2], seeds=(0, 1, 2), learning_rates=(0.005,))
    store = Store(tmp_path)
    for cell in plan.cells():
        finish(store, cell, *cell.trials(), errors[cell.column.name][cell.seed])
    # Differences 87, 75 and 81: mean 81, deviation 6, t(2) at 97.5 % is 4.3027.
    half = 4.3027 * 6 / 3**0.5
    row = ["RndF Bottom", "+81.00", f"+{81 - half:.2f} to +{81 + half:.2f}", "0.002"]
    markdown, text = written(fill(plan, store), tmp_path)
    assert [*row[1:], "0, 1, 2"] in [cells[4:] for cells in Page(text).rows]
    assert " | ".join(["", *row, "0, 1, 2", ""]).strip() in markdown
    assert "No p is corrected" in markdown
    assert "no p is corrected" in text


def test_several_tables_are_one_report(make_table, tmp_path):
    table = make_table()
    other = dataclasses.replace(
        table.plan.experiment, name="Y", title="Made up, too", baseline="SGD Top"
    )
    second = dataclasses.replace(
        table, plan=dataclasses.replace(table.plan, experiment=other)
    )
    markdown, text = written([table, second], tmp_path)
    assert markdown.startswith("# Experiments X, Y\n")
    assert re.findall("^## (.): Made up", markdown, re.MULTILINE) == ["X", "Y"]
    page = Page(text)
    ids = [heading.get("id") for heading in page.all("h2")]
    assert ids[1:3] == ["experiment-1", "experiment-2"]
    assert {"href": "#experiment-1"} in page.all("a")
    assert "5 of 6 runs" in text  # what they share is told once
    assert markdown.count("worse than the baseline (SGD)") == 1
    assert markdown.count("worse than the baseline (SGD Top)") == 1


def test_every_figure_leads_to_its_files(make_table, tmp_path, contents):
    table = make_table()
    markdown, _ = written(table, tmp_path)
    files = {name for name in contents(tmp_path) if name.startswith("trials/")}
    assert len(files) == 5
    links = re.findall(r"\]\((.*?)\)", markdown)
    assert {urllib.parse.unquote(link) for link in links} == files


def test_links_to_files_of_any_name(make_table, tmp_path):
    table = make_table(columns=COLUMNS[:1], errors=((0.5, 0.25),))
    for number, trial in enumerate(table.trials()):
        name = ("a (copy) #1?.json", "<b>|&.json")[number]
        (tmp_path / trial["file"]).rename(tmp_path / "trials" / name)
    again = fill(table.plan, Store(tmp_path))
    markdown, _ = written(again, tmp_path)
    links = re.findall(r"\]\((.*)\) \|$", markdown, re.MULTILINE)
    assert len(links) == 2
    for link in links:
        assert (tmp_path / urllib.parse.unquote(link)).is_file()
        assert not set(link) & set(" ()#?<>|&")


def test_html_needs_nothing_from_elsewhere(make_table, tmp_path):
    _, text = written(make_table(), tmp_path, ["x"])
    page = Page(text)
    for tag in ("link", "img", "iframe", "object", "embed", "base", "form"):
        assert page.all(tag) == []
    assert page.all("script") == [{"type": "application/json", "id": "data"}, {}, {}]
    for _, attributes in page.elements:
        assert not {"src", "srcset", "style"} & set(attributes)
        assert not any(name.startswith("on") for name in attributes)
        assert attributes.get("href", "#").startswith("#")


def test_html_runs_and_fetches_nothing_but_its_own(make_table, tmp_path):
    _, text = written(make_table(), tmp_path)
    (policy,) = [
        meta["content"]
        for meta in Page(text).all("meta")
        if meta.get("http-equiv") == "Content-Security-Policy"
    ]
    allowed = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    styles = re.findall("<style>(.*?)</style>", text, re.DOTALL)
    scripts = re.findall("<script>(.*?)</script>", text, re.DOTALL)
    assert allowed == {
        "default-src": "'none'",
        "style-src": " ".join(map(sha256, styles)),
        "script-src": " ".join(map(sha256, scripts)),
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert (len(styles), len(scripts)) == (1, 2)


def sha256(text):
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


@pytest.fixture
def hostile(make_plan, finish, tmp_path):
    """A table in which all that can be a user's is hostile."""
    dataset = dataclasses.replace(
        datasets.get("mnist_5k"), name=HOSTILE, description=HOSTILE, paper=HOSTILE
    )
    plan = make_plan([Column(HOSTILE)], ((dataset, "1"),), learning_rates=(0.5,))
    plan = dataclasses.replace(
        plan,
        preset=HOSTILE,
        experiment=dataclasses.replace(
            plan.experiment,
            name=HOSTILE,
            title=HOSTILE,
            table=HOSTILE,
            baseline=HOSTILE,
        ),
    )
    (cell,) = plan.cells()
    store = Store(tmp_path)
    finish(
        store,
        cell,
        *cell.trials(),
        0.5,
        command=f"python\n\n# {HOSTILE}",
        versions={HOSTILE: HOSTILE},
        machine={"system": HOSTILE, "processor": HOSTILE, "cores": HOSTILE},
    )
    return fill(plan, store)


def test_html_escapes_what_came_from_elsewhere(hostile, tmp_path):
    _, text = written(hostile, tmp_path, [HOSTILE])
    page = Page(text)
    assert len(page.all("script")) == 3
    assert page.all("b") == []
    assert HOSTILE not in text
    # Data set, column, its paper's row, description, title, command, problem, machine.
    assert "".join(page.text).count("alert('1')") >= 12
    # Nor can the data end their element.
    (data,) = re.findall('<script type="application/json".*?>(.*?)</script>', text)
    assert not set("<>&") & set(data)
    assert json.loads(data)["setups"][0]["label"] == HOSTILE


def test_latex(make_table, tmp_path):
    errors = ((0.09, 0.5), (0.9, 0.0599), (0.13,))
    written(make_table(errors=errors, seeds=(0, 2)), tmp_path)
    text = (tmp_path / "report.tex").read_text(encoding="utf-8")
    assert r"RndF Bottom & 6.99$\downarrow$ $\pm$1.41 & 85.50$\uparrow$ \\" in text
    assert r"SGD Top & (2 of 4 trials) & 3.85$\uparrow$ \\" in text
    for rule in ("toprule", "midrule", "bottomrule"):
        assert text.count(rf"\{rule}") == 1
    assert r"\multicolumn{2}{c}{mnist\_5k (paper: MNIST)}" in text


def test_latex_cannot_be_broken_out_of(hostile, tmp_path):
    written(hostile, tmp_path)
    text = (tmp_path / "report.tex").read_text(encoding="utf-8")
    compiled(text, tmp_path)
    for line in text.splitlines():
        if not line.startswith("%"):
            assert "<" not in line
            assert "`" not in line


def test_a_peers_table_is_not_said_to_be_the_papers(make_plan, tmp_path):
    peers = experiments.FA_BENCH
    plan = dataclasses.replace(
        make_plan(architecture="lenet-mnist", validation_share=0.1),
        experiment=peers,
        columns=peers.columns,
    )
    text, _ = written(fill(plan, Store(tmp_path)), tmp_path)
    assert "Liao" not in text
    assert f"Beside ours are the errors of {peers.place}. Preset" in text
    assert "10 % of the\ntraining examples are held out" in text
    assert "Liao" not in (tmp_path / "report.tex").read_text(encoding="utf-8")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert f">Our errors beside those of {peers.place}." in page
    assert "Of Liao" not in page
    # With a table of the paper's it is of both.
    tables = [fill(each, Store(tmp_path)) for each in (make_plan(), plan)]
    files.write(tables, tmp_path, [])
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Of Liao" in page
    assert f"and beside those of {peers.place}." in page


def test_latex_of_many_data_sets_is_compiled(make_plan, tmp_path):
    rows = tuple((dataset, "1") for dataset in datasets.DATASETS.values())
    plan = dataclasses.replace(
        make_plan(rows=rows, seeds=(0, 1)),
        experiment=experiments.get("C2"),
        columns=experiments.get("C2").columns,
    )
    written(fill(plan, Store(tmp_path)), tmp_path)
    text = (tmp_path / "report.tex").read_text(encoding="utf-8")
    assert text.count(r"\begin{table}") == -(-len(rows) // 3)
    compiled(text, tmp_path)


def compiled(text, folder):
    """Has LaTeX make a page of it, where there is LaTeX."""
    if not shutil.which("pdflatex"):
        return
    (folder / "tables.tex").write_text(text, encoding="utf-8")
    (folder / "page.tex").write_text(
        r"\documentclass{article}\usepackage[T1]{fontenc}\usepackage{booktabs}"
        r"\begin{document}\input{tables}\end{document}"
    )
    done = subprocess.run(
        ["pdflatex", "-interaction=batchmode", "-halt-on-error", "page"],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    log = (folder / "page.log").read_text(encoding="utf-8", errors="replace")
    assert done.returncode == 0, log[-2000:]
    assert "Missing character" not in log


def test_a_report_can_be_written_while_trials_are(make_table, tmp_path):
    table = make_table()
    (tmp_path / "trials" / "half.json").write_text('{"schema": "keras_asy')
    _, text = written(table, tmp_path)
    assert "5 of 6 runs" in text
    assert "half.json" not in text  # it may be whole a moment later


def test_every_trial_of_the_folder_is_a_row(make_table, tmp_path, finish, make_cell):
    cell = make_cell(seed=7)
    finish(Store(tmp_path), cell, cell.trials()[0], 0.5)
    written(make_table(), tmp_path)
    with (tmp_path / "results.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 6


def test_markdown_cannot_be_broken_out_of(hostile, tmp_path):
    text, _ = written(hostile, tmp_path, [f"{HOSTILE}\n# no heading"])
    headings = [line for line in text.splitlines() if line.startswith("#")]
    assert [heading.partition(" ")[2] for heading in headings[2:]] == [
        *("Reproduce", "Files that were not used", "Trials")
    ]
    assert len(headings) == 5
    for line in text.splitlines():
        if line.startswith(("| ", "- ")):
            # Every sign that means something is taken literally.
            bare = re.sub(r"\\[\\`*<>|\[\]]", "", line)
            assert "<" not in bare
            assert "`" not in bare
            assert "*" not in bare
            if line.startswith("| "):
                assert bare.count("|") in (3, 9)  # one column, or eight


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
    assert files.ours(entry) == expected


@pytest.mark.parametrize(
    ("figure", "mark", "expected"),
    [(0.67, None, "0.67"), (85.5, "worse", "85.50▲"), (None, None, "?")],
)
def test_the_papers_figure(figure, mark, expected):
    entry = dataclasses.replace(ENTRY, paper=figure, paper_mark=mark)
    assert files.paper(entry) == expected


def shown(table, width, show=files.show, **options):
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
    errors = [(0.03, 0.5), (0.06, 0.5), (0.5,), (), (0.9, 0.8), (0.01, 0.5)]
    text = shown(make_table(experiments.get("C2").columns[:6], errors), width=60)
    assert grid(text) == [
        ["SGD", "3.00", "0.67"],
        ["SGD Bottom", "6.00▲", "0.65"],
        ["SGD Top", "(1 of 2 trials)", "3.85▲"],
        ["RndF", "not run", "1.81"],
        ["RndF Bottom", "80.00▲", "85.50▲"],
        ["RndF Top", "1.00", "3.81▲"],
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


@pytest.mark.parametrize("show", [files.show, files.show_plain])
def test_no_colour_codes_where_there_is_no_terminal(show, make_table):
    assert "\x1b" not in shown(make_table(), 40, show)


def test_plain_output_is_the_markdown_table(make_table):
    columns = experiments.get("C2").columns
    lines = shown(make_table(columns, [(0.5, 0.9)] * 12), 40, files.show_plain)
    heading, _, ours, theirs, _, legend = lines.splitlines()
    assert heading.split(" | ")[1:-1] == [column.name for column in columns][:-1]
    assert ours == "| mnist_5k |" + " 50.00 |" * 12
    assert theirs.startswith("| paper: MNIST | 0.67 | 0.65 | 3.85▲ | 1.81 | 85.50▲ |")
    assert legend.startswith("▲ (yellow)")


def test_what_is_not_the_papers_is_named():
    protocol = dataclasses.replace(
        PRESETS["quick"], train_examples=10_000, architecture="large"
    )
    assert files.changes(protocol) == (
        ", 10,000 training examples, the network 'large'"
    )
    assert files.changes(PRESETS["paper"]) == ""


REASON = "error: a | b <b>c</b>"


def test_what_failed_is_named(tmp_path, make_plan, finish):
    plan = make_plan(COLUMNS[:2], seeds=(0, 1), learning_rates=(0.5,))
    store = Store(tmp_path)
    *cells, failed = plan.cells()
    for cell in cells:
        finish(store, cell, *cell.trials(), 0.1)
    table = fill(plan, store, {failed: REASON})
    markdown, page = written(table, tmp_path)
    escaped = r"error: a \| b \<b\>c\</b\>"
    assert f"| mnist_5k | 10.00 ±0.00 | failed: {escaped} |" in markdown
    assert f"- mnist_5k, RndF Bottom, seed 1: {escaped}\n" in markdown
    assert page.count("error: a | b &lt;b&gt;c&lt;/b&gt;") == 3  # in both tables, too
    assert "<b>" not in page
    for text in (markdown, page):
        assert "What failed" in text
    assert f"failed: {REASON}" in " ".join(shown(table, 200).split())
    for text in written(fill(plan, store), tmp_path):
        assert "What failed" not in text
        assert "failed:" not in text


def test_trials_on_other_threads_are_told_apart(tmp_path, make_plan, finish):
    plan = make_plan(COLUMNS[:1], seeds=(0, 1, 2, 3), learning_rates=(0.5,))
    store = Store(tmp_path)
    machine = {"system": "S", "processor": "P", "cores": 2, "onednn": "1"}
    for cell, how in zip(
        plan.cells(),
        (
            {},  # of an earlier version of this package
            {"threads": 1, "deterministic": True},
            {"threads": 2, "deterministic": True},
            {"threads": 2, "deterministic": True},
        ),
        strict=True,
    ):
        finish(store, cell, *cell.trials(), 0.1, machine=machine | how)
    for text in written(fill(plan, store), tmp_path):
        start = "trials on P, 2 cores, S; keras-asymbp 0, numpy 1; "
        for line in (
            f"1 {start}threads not recorded.",
            f"1 {start}1 thread, deterministic.",
            f"2 {start}2 threads, deterministic.",
        ):
            assert line in text
