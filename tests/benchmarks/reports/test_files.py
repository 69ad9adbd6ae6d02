import base64
import csv
import dataclasses
import hashlib
import html.parser
import json
import re
import shutil
import subprocess
import urllib.parse

import pytest

from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.reports import files
from keras_asymbp.benchmarks.results import inventory
from keras_asymbp.benchmarks.results.store import Store
from keras_asymbp.benchmarks.results.table import Table
from keras_asymbp.benchmarks.tables import experiments
from keras_asymbp.benchmarks.tables.experiments import Column

HOSTILE = "<script>alert('1')</script>&\"|[x](http://x.example)`*"


def write(tables, folder, problems=()):
    rows = [row for table in tables for row in table.rows]
    store = Store(folder)
    store.problems += problems
    own = (row.plan.setup.dataset for row in rows)
    files.write(rows, inventory.take(store, {dataset.name: dataset for dataset in own}))


def written(table, folder, problems=()):
    write(table if isinstance(table, list) else [table], folder, problems)
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
    assert re.findall("^#+ (.*)", text, re.MULTILINE) == [
        *("Experiment X", "X: Made up (Table 0)", "Reproduce"),
        *("Files that were not used", "Trials"),
    ]
    words = " ".join(text.split())
    assert "Of Liao, Leibo and Poggio" in words
    assert "Preset `quick`: 4 epochs, 2 learning rates, seed 0." in words
    assert "Data: mnist_5k, version 1." in words
    assert "`mnist_5k` is not the paper's MNIST: " in words
    assert "as in `--seeds 0,1,2`" in words
    for line in (
        "| error, % | SGD | RndF Bottom | SGD Top |",
        "| mnist_5k | 3.00 | 5.99 | (1 of 2 trials) |",
        "| paper: MNIST | 0.67 | 85.50▲ | 3.85▲ |",
        "    python -m keras_asymbp.benchmarks --exp X --datasets mnist_5k "
        "--preset quick --epochs 4 --learning_rates 0.005,5e-05 --seeds 0",
        "    python -m keras_asymbp.benchmarks --exp X",
        "- 5 trials on P, 2 cores, S; keras-asymbp 0, numpy 1; 2 threads, not "
        "deterministic.",
        "- trials/x.json is no result; left alone",
    ):
        assert line in text.splitlines()


def test_markdown_lists_the_trials(make_table, tmp_path):
    table = make_table(epochs=4)
    text, _ = written(table, tmp_path)
    rows = text.partition("## Trials\n")[2].splitlines()[3:]
    files = {
        (trial["model"], trial["settings"]["learning_rate"]): (
            f"[{trial['id']}]({trial['file'].replace(' ', '%20')})"
        )
        for trial in table.trials()
    }
    assert rows == [
        f"| mnist_5k | {model} | 0 | {rate:g} | {error} | 2 | 1.2 "
        f"| {files[model, rate]} |"
        for model, rate, error in (
            *(("SGD", 0.005, "3.00"), ("SGD", 5e-5, "50.00")),
            *(("RndF Bottom", 5e-5, "5.99"), ("RndF Bottom", 0.005, "90.00")),
            ("SGD Top", 0.005, "50.00"),
        )
    ]


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
        *("RndF Bottom", "6.99▼ ±1.41 better than the baseline"),
        *(
            "85.50▲ worse than the baseline",
            "-3.01",
            "the same in each seed",
            "",
            "0, 2",
        ),
    ]
    assert "Runs finished: 12 of 12." in text


def test_the_page_counts_pending_runs(make_table, tmp_path):
    _, text = written(make_table(), tmp_path)
    assert "Runs finished: 5 of 6. Incomplete" in "".join(Page(text).text)
    assert "(1 of 2 trials)" in text


def test_comparisons_are_in_both_reports(
    tmp_path, make_plan, finish, table_of, columns
):
    errors = {"SGD": (0.03, 0.05, 0.04), "RndF Bottom": (0.9, 0.8, 0.85)}
    plan = make_plan(columns[:2], seeds=(0, 1, 2), learning_rates=(0.005,))
    store = Store(tmp_path)
    for cell in plan.cells():
        finish(store, cell, *cell.trials(), errors[cell.column.name][cell.seed])
    # Differences 87, 75 and 81: mean 81, deviation 6, t(2) at 97.5 % is 4.3027.
    half = 4.3027 * 6 / 3**0.5
    row = ["RndF Bottom", "+81.00", f"+{81 - half:.2f} to +{81 + half:.2f}", "0.002"]
    markdown, text = written(table_of(plan), tmp_path)
    assert [*row[1:], "0, 1, 2"] in [cells[3:] for cells in Page(text).rows]
    assert " | ".join(["", *row, "0, 1, 2", ""]).strip() in markdown
    assert "No p is corrected" in markdown
    assert "no p is corrected" in text


def test_one_epoch_and_one_rate_are_in_the_singular(make_table, tmp_path):
    table = make_table(epochs=1, learning_rates=(0.005,))
    markdown, text = written(table, tmp_path)
    assert "1 epoch,\n1 learning rate, " in markdown
    assert "1 epoch, 1 learning rate" in text


def test_several_tables_are_one_report(make_table, tmp_path, table_of):
    table = make_table()
    plan = table.rows[0].plan
    other = dataclasses.replace(
        plan.experiment, name="Y", title="Made up, too", baseline="SGD Top"
    )
    second = table_of(dataclasses.replace(plan, experiment=other))
    markdown, text = written([table, second], tmp_path)
    assert markdown.startswith("# Experiments X, Y\n")
    assert re.findall("^## (.): Made up", markdown, re.MULTILINE) == ["X", "Y"]
    page = Page(text)
    ids = [heading.get("id") for heading in page.all("h2")]
    assert ids[:4] == ["finding", "reading", "experiment-1", "experiment-2"]
    assert {"href": "#experiment-1"} in page.all("a")
    assert "Runs finished: 5 of 6." in text  # shared trials are counted once
    assert markdown.count("worse than the baseline (SGD)") == 1
    assert markdown.count("worse than the baseline (SGD Top)") == 1


def test_every_figure_leads_to_its_files(make_table, tmp_path, contents):
    table = make_table()
    markdown, _ = written(table, tmp_path)
    files = {name for name in contents(tmp_path) if name.startswith("trials/")}
    assert len(files) == 5
    links = re.findall(r"\]\((.*?)\)", markdown)
    assert {urllib.parse.unquote(link) for link in links} == files


def test_links_to_files_of_any_name(make_table, tmp_path, table_of, columns):
    table = make_table(columns=columns[:1], errors=((0.5, 0.25),))
    for number, trial in enumerate(table.trials()):
        name = ("a (copy) #1?.json", "<b>|&.json")[number]
        (tmp_path / trial["file"]).rename(tmp_path / "trials" / name)
    again = table_of(table.rows[0].plan)
    markdown, _ = written(again, tmp_path)
    links = re.findall(r"\]\((.*)\) \|$", markdown, re.MULTILINE)
    assert len(links) == 2
    for link in links:
        assert (tmp_path / urllib.parse.unquote(link)).is_file()
        assert not set(link) & set(" ()#?<>|&")


def test_html_loads_nothing(make_table, tmp_path):
    _, text = written(make_table(), tmp_path, ["x"])
    page = Page(text)
    for tag in ("link", "img", "iframe", "object", "embed", "base", "form"):
        assert page.all(tag) == []
    assert page.all("script") == [{"type": "application/json", "id": "data"}, {}, {}]
    for _, attributes in page.elements:
        assert not {"src", "srcset", "style"} & set(attributes)
        assert not any(name.startswith("on") for name in attributes)
        assert attributes.get("href", "#").startswith("#")


def test_html_allows_only_its_own_scripts_and_style(make_table, tmp_path):
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
def hostile(make_plan, finish, tmp_path, table_of):
    """A table in which every text that a user can supply is hostile."""
    dataset = dataclasses.replace(
        datasets.get("mnist_5k"), name=HOSTILE, description=HOSTILE, paper=HOSTILE
    )
    plan = make_plan([Column(HOSTILE)], dataset, learning_rates=(0.5,))
    plan = dataclasses.replace(
        plan,
        setup=dataclasses.replace(plan.setup, preset=HOSTILE),
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
        machine={"system": HOSTILE, "processor": HOSTILE, "cores": 2},
    )
    return table_of(plan)


def test_html_escapes_a_users_texts(hostile, tmp_path):
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


def test_latex_escapes_a_users_texts(hostile, tmp_path):
    written(hostile, tmp_path)
    text = (tmp_path / "report.tex").read_text(encoding="utf-8")
    compiled(text, tmp_path)
    for line in text.splitlines():
        if not line.startswith("%"):
            assert "<" not in line
            assert "`" not in line


def test_a_peers_table_is_not_attributed_to_the_paper(make_plan, tmp_path, table_of):
    peers = experiments.FA_BENCH
    plan = dataclasses.replace(
        make_plan(architecture="lenet-mnist", validation_share=0.1),
        experiment=peers,
        columns=peers.columns,
    )
    text, _ = written(table_of(plan), tmp_path)
    assert "Liao" not in text
    assert f"Beside ours are the errors of {peers.place}. Preset" in text
    assert ", 10 % of the training examples held out, the network 'lenet-mnist'" in text
    assert "lowest error on the examples held out.\n" in text
    assert "Liao" not in (tmp_path / "report.tex").read_text(encoding="utf-8")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert f">Our errors beside those of {peers.place}." in page
    assert "Of Liao" not in page
    # With one of the paper's tables the page names both sources.
    write([table_of(make_plan()), table_of(plan)], tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Of Liao" in page
    assert f"and beside those of {peers.place}." in page


def test_latex_of_many_data_sets_is_compiled(make_plan, tmp_path, table_of):
    c2 = experiments.get("C2")
    rows = [
        row
        for dataset in datasets.DATASETS.values()
        for row in table_of(
            dataclasses.replace(
                make_plan(dataset=dataset, seeds=(0, 1)),
                experiment=c2,
                columns=c2.columns,
            )
        ).rows
    ]
    write([Table(tuple(rows))], tmp_path)
    text = (tmp_path / "report.tex").read_text(encoding="utf-8")
    assert text.count(r"\begin{table}") == -(-len(rows) // 3)
    compiled(text, tmp_path)


def compiled(text, folder):
    """Compiles the text, if LaTeX is installed."""
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
    assert "Runs finished: 5 of 6." in text
    assert "half.json is no JSON" in text


def test_every_trial_of_the_folder_is_a_row(make_table, tmp_path, finish, make_cell):
    cell = make_cell(seed=7)
    finish(Store(tmp_path), cell, cell.trials()[0], 0.5)
    written(make_table(), tmp_path)
    with (tmp_path / "results.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 6


def test_markdown_escapes_a_users_texts(hostile, tmp_path):
    text, _ = written(hostile, tmp_path, [f"{HOSTILE}\n# no heading"])
    headings = [line for line in text.splitlines() if line.startswith("#")]
    assert [heading.partition(" ")[2] for heading in headings[2:]] == [
        *("Reproduce", "Files that were not used", "Trials")
    ]
    assert len(headings) == 5
    for line in text.splitlines():
        if line.startswith(("| ", "- ")):
            # Every special character is escaped.
            bare = re.sub(r"\\[\\`*\[\]]", "", line)
            assert "<" not in bare
            assert "`" not in bare
            assert "*" not in bare
            if line.startswith("| "):
                assert bare.count("|") in (3, 9)  # one column, or eight


REASON = "error: a | b <b>c</b>"


def test_failures_are_reported(tmp_path, make_plan, finish, table_of, columns):
    plan = make_plan(columns[:2], seeds=(0, 1), learning_rates=(0.5,))
    store = Store(tmp_path)
    *cells, failed = plan.cells()
    for cell in cells:
        finish(store, cell, *cell.trials(), 0.1)
    table = table_of(plan, {failed: REASON})
    markdown, page = written(table, tmp_path)
    escaped = "error: a &#124; b &lt;b>c&lt;/b>"
    assert f"| mnist_5k | 10.00 ±0.00 | failed: {escaped} |" in markdown
    assert f"- mnist_5k, RndF Bottom, seed 1: {escaped}\n" in markdown
    assert page.count("error: a | b &lt;b&gt;c&lt;/b&gt;") == 3  # in both tables, too
    assert "<b>" not in page
    for text in (markdown, page):
        assert "What failed" in text
    for text in written(table_of(plan), tmp_path):
        assert "What failed" not in text
        assert "failed:" not in text


def test_trials_are_counted_by_number_of_threads(
    tmp_path, make_plan, finish, table_of, columns
):
    plan = make_plan(columns[:1], seeds=(0, 1, 2, 3, 4), learning_rates=(0.5,))
    store = Store(tmp_path)
    machine = {"system": "S", "processor": "P", "cores": 2, "onednn": "1"}
    for cell, threads in zip(
        plan.cells(),
        (
            {},  # of an earlier version of this package
            {"threads": 3},
            {"threads": 1, "deterministic": True},
            {"threads": 2, "deterministic": True},
            {"threads": 2, "deterministic": True},
        ),
        strict=True,
    ):
        finish(store, cell, *cell.trials(), 0.1, machine=machine | threads)
    for text in written(table_of(plan), tmp_path):
        start = "on P, 2 cores, S; keras-asymbp 0, numpy 1; "
        for line in (
            f"1 trial {start}threads not recorded.",
            f"1 trial {start}3 threads.",
            f"1 trial {start}1 thread, deterministic.",
            f"2 trials {start}2 threads, deterministic.",
        ):
            assert line in text
