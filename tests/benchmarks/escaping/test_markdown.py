import html
import re

import markdown_it
import markupsafe
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from keras_asymbp.benchmarks.escaping import markdown

COMMONMARK = markdown_it.MarkdownIt("commonmark").enable(["table", "strikethrough"])
SIGNS = st.text(st.sampled_from("\\`*_[]{}()<>&|~$#!=+-.:/1a @\n\t\x1b\u202e"))


@pytest.mark.parametrize(
    "text",
    ["mnist_5k", "uSF+BN+BM 3", "-1.50 to +2.00", "a & b < c > d (50 %); y!"],
)
def test_usual_text_stays_readable(text):
    assert markdown.escape(text) == text


@example("# \\`a`*b*_c_[d](e){f}<g>&lt;~~h~~$i$")
@example("1. a")
@example("> a")
@example("- a")
@given(st.one_of(SIGNS, st.text()))
def test_a_paragraph_says_the_text(text):
    rendered = COMMONMARK.render(f"{markdown.escape(text)} end")
    assert re.fullmatch(r"<p>[^<]*</p>\n", rendered)
    shown = html.unescape(rendered)[3:-5].split()
    assert shown == [*markdown.one_line(text).split(), "end"]


@example("a|b", "|")
@given(SIGNS, SIGNS)
def test_a_row_keeps_its_cells(first, second):
    table = f"| a | b |\n|:--|--:|\n{markdown.row([first, second])}\n"
    rendered = COMMONMARK.render(table)
    assert re.findall(r"<(\w+)", rendered) == [
        *("table", "thead", "tr", "th", "th", "tbody", "tr", "td", "td")
    ]
    cells = re.findall("<td[^>]*>([^<]*)</td>", rendered)
    for cell, text in zip(cells, (first, second), strict=True):
        assert html.unescape(cell).split() == markdown.one_line(text).split()


def test_a_table_aligns_its_columns_and_keeps_markdown():
    rows = [("a|b", markupsafe.Markup("**1**")), ("c", "")]
    assert markdown.table(("*", 2), rows) == (
        "| \\* | 2 |\n|:--|--:|\n| a&#124;b | **1** |\n| c | |"
    )
    _, marks = markdown.table("abc", (), alignment="rll").splitlines()
    assert marks == "|--:|:--|:--|"
    with pytest.raises(ValueError, match="longer"):
        markdown.table("abc", (), alignment="l")


@given(st.from_regex(markdown._INERT, fullmatch=True))
def test_what_passes_by_the_escapes_needs_none(text):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(markdown, "_INERT", re.compile("(?!)"))
        assert markdown.escape(text) == markdown.one_line(text)


def test_a_name_is_code_if_it_is_plain():
    assert markdown.code("mnist_5k") == "`mnist_5k`"
    assert markdown.code("<b>") == "&lt;b>"
    assert markdown.code(" ") == ""
