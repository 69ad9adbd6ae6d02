"""A name from outside is inert in every report: for any name, nothing but its text."""

import csv
import dataclasses
import html.parser
import io
import json
import re
import tempfile

import markdown
import markdown_it
import pytest
import rich.console
from hypothesis import example, given, settings
from hypothesis import strategies as st

from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.escaping.printable import one_line
from keras_asymbp.benchmarks.reports import files, terminal
from keras_asymbp.benchmarks.results import inventory
from keras_asymbp.benchmarks.results.aggregates import aggregate
from keras_asymbp.benchmarks.results.assessment import assess
from keras_asymbp.benchmarks.results.store import Store
from keras_asymbp.benchmarks.results.table import Table, fill
from keras_asymbp.benchmarks.tables.experiments import Column

FRAGMENTS = (
    # Spreadsheets
    *("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\uff1d1", "'", '"', ";=1"),
    *(", ", "=", "-"),
    # HTML
    *("<script>", "</script>", "<!--", "<b>", "</td>", "<a@b.c>", "&lt;", "&#60;", "&"),
    # Markdown
    *("|", "\\", "`", "``", "*", "**", "_", "__", "~~", "[x](y)", "![", "](", "# "),
    *("## ", "- ", "1. ", "1) ", "> ", "---", "===", "***", "    ", "```", ":", "{"),
    *("}", "{: #a }", "http://a.b", "www.a.b", "a@b.c", "[^1]", "[x]: y"),
    # LaTeX
    *("$x$", "%", "^", "^^M", "\\input{x}", "\\\\", "[1pt]", ",,", "--", "?`"),
    # Lines and terminals
    *("\n", "\r", "\r\n", "\n\n# x", "\n| a |", "\n    ", "\v", "\f", "\x85", "\u2028"),
    *("\0", "\x1b[31m", "\x1b]0;x\a", "\x9b31m", "\b", "\x7f", "\u202e", "\u2066"),
    *("\u200d", "\ufeff", "\udcff", "\udc80", "\ud800"),
    *("[red]", "[/]", "[link=http://a]", ":smile:"),
    # Templates, and what is usual
    *("{{ x }}", "{% x %}", "${x}", "%s", "{0}", "\\u003c", "x", "a b", "a_b", "木"),
)
NAMES = st.one_of(
    st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=5).map("".join),
    st.text(st.characters(codec=None), max_size=8),
)
ALL = "".join(FRAGMENTS)


@pytest.fixture(scope="module")
def reports(finish, make_plan):
    """Writes every report, with one name for everything; their texts by file."""

    def reports(name):
        plan = named(make_plan, name)
        with tempfile.TemporaryDirectory() as folder:
            store = Store(folder)
            *cells, failed = plan.cells()
            for number, cell in enumerate(cells):
                trial = finish(
                    *(store, cell, *cell.trials(), 0.5 + number / 8),
                    command=f"python {name}",
                    versions={name: name},
                    machine={"system": name, "processor": name, "cores": 2},
                )
                trial["file"] = f"trials/{name}"
            store.problems.append(f"{name} is broken")
            held = inventory.take(store, {name: plan.setup.dataset})
            row = fill(plan, store, {failed: name})
            files.write([row], held)
            assessed = assess(held, held.setups, [plan])
            across = [[aggregate(name, (name, "x"), [[50.0, 60.0]] * 2, [[90.0]] * 2)]]
            files.write_claims(assessed, across, store.folder)
            written = {
                path.name: path.read_bytes().decode("utf-8")
                for path in store.folder.iterdir()
                if path.is_file()
            }
            return written | dict(shown(Table((row,)), assessed, across))

    return reports


def named(make_plan, name):
    dataset = dataclasses.replace(
        datasets.get("mnist_5k"), name=name, description=name, paper=name
    )
    models = [Column("SGD"), Column(name, rule="RndF")]
    plan = make_plan(models, dataset, seeds=(0, 1), learning_rates=(0.5,))
    experiment = dataclasses.replace(plan.experiment, name=name, title=name, table=name)
    return dataclasses.replace(plan, experiment=experiment)


def shown(table, assessed, across):
    """What a terminal shows, and what a pipe gets."""
    for place, width, show, arguments in (
        ("terminal", 1000, terminal.show, (table,)),
        ("narrow terminal", 40, terminal.show, (table,)),
        ("claims in a terminal", 80, terminal.show_claims, (assessed, across)),
        ("pipe", 80, terminal.show_plain, (table,)),
        ("claims in a pipe", 80, terminal.show_claims, (assessed, across)),
    ):
        console = rich.console.Console(
            file=io.StringIO(), width=width, force_terminal="terminal" in place
        )
        show(*arguments, console)
        yield place, console.file.getvalue()


class Elements(html.parser.HTMLParser):
    """The elements of a page: their names and those of their attributes."""

    def __init__(self, text):
        super().__init__()
        self.found, self.data, self.in_data = [], "", False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        # A word of a command has an element; a name is code if it can be.
        if tag not in ("span", "wbr", "code"):
            self.found.append((tag, sorted(name for name, _ in attributes)))
        self.in_data = ("id", "data") in attributes

    def handle_data(self, data):
        if self.in_data:
            self.data, self.in_data = data, False

    def handle_comment(self, data):
        self.found.append("comment")


def commonmark(text):
    options = markdown_it.MarkdownIt("commonmark").enable(["table", "strikethrough"])
    return options.render(text)


def python_markdown(text):
    extensions = ["tables", "attr_list", "sane_lists", "def_list", "footnotes"]
    return markdown.markdown(text, extensions=extensions)


def text_of(page):
    return " ".join(re.sub("<[^>]*>", " ", page).split())


def bare(text):
    r"""A text of LaTeX without comments, escaped signs and `\\`."""
    lines = (line for line in text.splitlines() if not line.startswith("%"))
    return re.sub(r"\\[&%$#_{}\\]", "", "\n".join(lines))


@pytest.fixture(scope="module")
def harmless(reports):
    """The reports of a harmless name, whose structure every other name's have."""
    made = {}

    def harmless():
        made.update(made or reports("x"))
        return made

    return harmless


@settings(max_examples=8)
@example(name="".join(FRAGMENTS[:20]))
@example(name="".join(FRAGMENTS[20:60]))
@example(name="".join(FRAGMENTS[60:]))
@example(name=" ")
@given(name=NAMES)
def test_a_name_is_only_text(name, reports, harmless):
    texts, usual = reports(name), harmless()
    for file, text in texts.items():
        if file != "results.csv":
            # But for the colours of a terminal.
            seen = re.sub(r"\x1b\[[\d;]*m", "", text) if "terminal" in file else text
            assert seen.replace("\n", "").isprintable(), file

    page = Elements(texts["report.html"])
    assert page.found == Elements(usual["report.html"]).found
    assert json.loads(page.data)["trials"][0]["dataset"] == one_line(name)

    for file in ("report.md", "claims.md", "pipe"):
        for rendered in (commonmark, python_markdown):
            found = Elements(rendered(texts[file])).found
            assert found == Elements(rendered(usual[file])).found, (file, rendered)

    latex, usual_latex = bare(texts["report.tex"]), bare(usual["report.tex"])
    assert latex.count("{") == latex.count("}")
    for sign in "&%#_^~\n":
        assert latex.count(sign) == usual_latex.count(sign)

    rows = list(csv.reader(io.StringIO(texts["results.csv"], newline="")))
    assert len(rows) == 4
    utf8 = name.encode("utf-8", "backslashreplace").decode("utf-8")
    for row in rows[1:]:
        cells = dict(zip(rows[0], row, strict=True))
        assert cells["dataset"].removeprefix("'") == utf8.removeprefix("'")
        assert cells["command"] == f"python {utf8}"
    for cell in (cell for row in rows for cell in row):
        number = re.fullmatch(r"-?[\d.]+(e-?\d+)?", cell)
        assert number or not re.match(r"[=+\-@\uff1d\uff0b\uff0d\uff20\s\0]", cell)
