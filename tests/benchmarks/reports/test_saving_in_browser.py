"""Files that report.html saves, in a real browser."""

import csv
import io
import itertools
import re
from xml.etree import ElementTree

import pytest

from keras_asymbp.benchmarks.escaping import latex, spreadsheet
from keras_asymbp.benchmarks.escaping.printable import one_line

PICTURES = ("signs", "rates", "curves", "alignment", "scatter", "times")
TAGS = ("title", "rect", "path", "text", "clipPath")
TEXTS = (
    *("=1+1", "+1", "-1", "-x", "@SUM(A1)", "\uff1d1", "'", '"', ";=1", ",", ",,,"),
    *("&", "|", "\\", "`", "_", "~", "^", "$x$", "%", "\\input{x}", "[1pt]", "--"),
    *("?`", "*", "#", "{}", "</script>", "\x1b[31m", "\u202e", "木", "é", "ð", "«"),
    *("▲", "±", "5", "a b", "a_b"),
)


def saved(page, scope, format):
    """The content of the file that a button saves, and its name."""
    with page.expect_download() as download:
        page.locator(scope).get_by_role("button", name=f"Save as {format}").click()
    path = download.value.path()
    return path.read_bytes(), download.value.suggested_filename


@pytest.fixture(scope="module")
def dark(opener):
    """The report on a dark ground, in a window of its own."""
    page = opener[0](scheme="dark")
    yield page
    page.context.close()


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_saved(name, dark):
    page = dark
    image, file = saved(page, f"#{name}", "PNG")
    assert image.startswith(b"\x89PNG")
    assert file.startswith(name)
    vector, _ = saved(page, f"#{name}", "SVG")
    root = ElementTree.fromstring(vector)
    tags = {tag: [*root.iter(f"{{http://www.w3.org/2000/svg}}{tag}")] for tag in TAGS}
    assert set(root.iter()) == {root, *itertools.chain(*tags.values())}
    words = {element.text for element in tags["text"]}
    assert words >= {"our error, %"} if name == "scatter" else len(words) > 8
    lines = [path for path in tags["path"] if path.get("d").count("L") > 1]
    strokes = {path.get("stroke") for path in lines if path.get("fill") == "none"}
    assert strokes >= ({"#000000"} if name != "signs" else {"#E69F00".lower()})
    long = [path for path in lines if not path.get("d").endswith("Z")]
    assert bool(long) == (name not in ("scatter", "times"))
    # On white, though the page is dark; and the page is dark again.
    assert tags["rect"][0].get("fill") == "#ffffff"
    assert page.evaluate("document.documentElement.className") == "js"


def test_a_table_is_saved(dark, hostile):
    page = dark
    region = "section:has(> #experiment-1)"
    text, file = saved(page, f"{region} >> nth=0 >> xpath=./div[@class='save']", "CSV")
    assert file == "Experiment-A-errors-in-percent-ours-and-the-printed-ones.csv"
    head, ours, paper, other, _ = csv.reader(text.decode().splitlines())
    assert head[:5] == ["error, %", "SGD", "SGD ±", "BN", "BN ±"]
    assert ours[0] == "mnist_5k, ours"
    assert [float(value) for value in ours[1:4]] == [3.5, 0.71, 2.5]
    assert paper[:4] == ["paper: MNIST", "0.67", "", "0.52"]
    assert other[0] == f"{spreadsheet.cell(hostile)}, ours"
    text, file = saved(
        page, f"{region} >> nth=0 >> xpath=./div[@class='save']", "LaTeX"
    )
    assert file.endswith(".tex")
    lines = [line.strip() for line in text.decode().splitlines()]
    assert lines[1] == r"\begin{table}"
    assert "\\begin{tabular}{lrrrrr}" in lines
    name = latex.escape(f"{hostile}, ours")
    assert [line for line in lines if line.startswith(name)]
    assert r"90.00$\uparrow$ $\pm$0.00" in text.decode()


def test_saved_tables_have_the_escapes_of_the_other_reports(dark):
    page = dark
    texts = [
        one_line(text).strip() for text in (*TEXTS, "\uff1d1", "木", "\x1b", "a b")
    ]
    page.locator("#rates .numbers table").evaluate(
        """(table, texts) => texts.forEach((text) => {
          const cell = table.tBodies[0].insertRow().insertCell();
          cell.textContent = text;
        })""",
        texts,
    )
    page.locator("#rates summary").click()
    where = "#rates .numbers"
    saved_csv = saved(page, where, "CSV")[0].decode()
    rows = [row[0] for row in csv.reader(io.StringIO(saved_csv, newline=""))]
    tex = saved(page, where, "LaTeX")[0].decode().splitlines()
    for text, cell in zip(texts[::-1], rows[::-1], strict=False):
        number = re.fullmatch(r"[+-]\d+", text)
        assert cell == (text if number or not text else spreadsheet.cell(text))
        assert f"    {latex.escape(text)} \\\\" in tex
