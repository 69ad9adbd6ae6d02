"""The built site: five heads, typeset formulas, a search, and no network.

A browser opens its pages from their folder. The reports on recorded results are left
out of this build; `make docs` builds them, and checks the links to them.
"""

import pathlib
import re

import nbformat
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
HEADS = ["Start", "Guides", "Reference", "Benchmarks", "Contributing"]
# Text that should have become a formula; code may have dollars.
RAW = """
() => {
  const walker = document.createTreeWalker(
    document.querySelector("article"), NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const { data, parentElement } = walker.currentNode;
    if (/\\$|\\\\[([]/.test(data) && !parentElement.closest("code, pre, .katex"))
      found.push(data);
  }
  return found;
}
"""
pytestmark = pytest.mark.slow


def pages(site):
    """The names of all pages; 404.html is only shown by a server."""
    names = {path.relative_to(site).as_posix() for path in site.rglob("*.html")}
    return sorted(names - {"404.html"})


@pytest.fixture
def visit(browser, site):
    """Opens a page of the site, which may neither complain nor ask for a server."""
    complaints = []
    page = browser.new_page()
    page.set_default_timeout(30_000)
    page.on(
        "console", lambda told: complaints.append(f"{told.text} {told.location['url']}")
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: complaints.append(request.url))
    page.on("request", lambda request: complaints.append(request.url))

    def visit(name):
        page.goto((site / name).as_uri())
        return page

    yield visit
    page.close()
    own = re.compile(rf"^({re.escape(site.as_uri())}|data:|blob:)|/recorded/")
    assert [text for text in complaints if not own.search(text)] == []


def test_pages_are_whole_and_formulas_are_typeset(site, visit):
    formulas = {}
    for name in pages(site):
        page = visit(name)
        assert page.locator(".md-tabs__link").all_inner_texts() == HEADS, name
        assert page.evaluate(RAW) == [], name
        assert page.locator(".katex-error").count() == 0, name
        formulas[name] = page.locator(".arithmatex").count()
        assert page.locator(".arithmatex .katex-html").count() == formulas[name], name
    for name in ("rules", "optimizer", "layers", "design"):
        assert formulas[f"{name}.html"] > 3


def test_formulas_have_their_fonts(visit):
    page = visit("optimizer.html")
    page.evaluate("document.fonts.ready.then(() => true)")
    loaded = page.evaluate(
        "[...document.fonts].filter(f => f.status == 'loaded').map(f => f.family)"
    )
    assert {"KaTeX_Main", "KaTeX_Math"} <= set(loaded)


def test_punctuation_stays_with_its_formula(visit):
    line = visit("index.html").locator("article p span[style*=nowrap]").first
    assert line.inner_text().endswith("W;")


@pytest.mark.parametrize("name", ["index.html", "guides/alignment.html"])
def test_the_search_works_in_a_folder(name, site, visit):
    page = visit(name)
    # Typed, for the search reads its field when a key is released; `fill` has no keys.
    page.locator(".md-search__input").press_sequentially("sum or mean")
    result = page.locator(".md-search-result__link").first
    result.wait_for()
    assert (site / "optimizer.html").as_uri() in result.evaluate("link => link.href")


def test_links_lead_to_files_of_the_site(site):
    for name in pages(site):
        text = (site / name).read_text(encoding="utf-8")
        for link in re.findall(r"<[^>]+(?:href|src)=\"?([^\"\s>#?]+)", text):
            inside = "://" not in link and not link.startswith("mailto:")
            if inside and "recorded/" not in link:
                assert (site / name).parent.joinpath(link).exists(), (name, link)


def test_a_notebook_is_shown_with_its_outputs(visit):
    page = visit("examples/watch_alignment.html")
    (picture,) = page.locator("article img").all()
    assert picture.evaluate("image => image.naturalWidth") > 500
    assert "hidden_2/angle" in page.locator(".language-text code").first.inner_text()
    assert page.locator("article a[download]").get_attribute("href").endswith(".ipynb")


def test_html_of_a_notebook_is_left_out(extension, tmp_path):
    data = {"text/html": "<img src='https://a.b/c.png'>", "text/plain": "a figure"}
    cell = nbformat.v4.new_code_cell(
        "show()", outputs=[nbformat.v4.new_output("display_data", data)]
    )
    notebook = nbformat.v4.new_notebook(cells=[cell])
    nbformat.write(notebook, tmp_path / "one.ipynb")
    text, pictures = extension("notebooks").page(tmp_path / "one.ipynb")
    assert "a figure" in text
    assert "https" not in text
    assert pictures == {}


def test_the_search_shows_formulas_as_text(site):
    index = (site / "search" / "search_index.js").read_text(encoding="utf-8")
    assert "through its weights W. Backpropagation" in index
    assert not re.search(r"\\\\[([]", index)
