"""The pages of the documentation can be read, on a phone and on a desktop.

The site is built without the reports of the recorded results, which have tests of their
own, and measured in a browser.
"""

import html
import inspect
import itertools
import pathlib
import re
import shutil

import pytest

from keras_asymbp.layers import LAYERS

ROOT = pathlib.Path(__file__).resolve().parents[1]
CHROMIUM = shutil.which("chromium")
WIDTHS = (390, 1280)

# In pixels. A paragraph or list item of more than FEW_WORDS words has a width of at
# least TEXT, a table's cell of at least CELL, the theme's minimum.
TEXT, CELL, FEW_WORDS = 200, 100, 5
HIGHEST = {390: 45_000, 1280: 35_000}

MEASURE = """([text, cell, fewWords]) => {
  const root = document.documentElement;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const blocks = new Set();
  while (walker.nextNode()) {
    if (!walker.currentNode.data.trim()) continue;
    let block = walker.currentNode.parentElement;
    while (/^(inline|contents)/.test(getComputedStyle(block).display))
      block = block.parentElement;
    if (block.closest("article") && !block.closest("svg, pre, .katex")
        && block.checkVisibility()) blocks.add(block);
  }
  const narrow = [...blocks].map((block) => ({
    width: Math.round(block.getBoundingClientRect().width),
    least: block.closest("td, th") ? cell : text,
    words: block.innerText.trim().split(/\\s+/),
  })).filter((each) => each.words.length > fewWords && each.width < each.least);
  return {
    height: root.scrollHeight,
    beyond: root.scrollWidth - root.clientWidth,
    narrow: narrow.map((each) =>
      `${each.width}: ${each.words.slice(0, 8).join(" ")}`),
  };
}"""


def selectors(style):
    """The selectors of a style sheet, each by itself."""
    style = re.sub(r"/\*.*?\*/", "", style, flags=re.DOTALL)
    for group in re.findall(r"([^{};]+)\{", style):
        if not group.strip().startswith("@"):
            yield from re.split(r",(?![^(]*\))", group.strip())


# Starts of classes that generated parts of a page have, which we style as such.
GENERATED = ("arithmatex", "katex", "language-", "md-")


def test_classes_of_ours_collide_with_none():
    # Pictures are part of their pages, and so are their styles.
    styles = {
        path: re.findall(r"<style>(.*?)</style>", path.read_text("utf-8"), re.DOTALL)
        for path in ROOT.glob("docs/pictures/*.svg")
    } | {path: [path.read_text("utf-8")] for path in ROOT.glob("docs/*.css")}
    assert len(styles) > 2
    defined = set()
    for path, texts in styles.items():
        for selector in itertools.chain.from_iterable(map(selectors, texts)):
            classes = re.findall(r"\.([a-zA-Z][\w-]*)", selector)
            defined.update(classes)
            foreign = [name for name in classes if not name.startswith(GENERATED)]
            ours = [name for name in classes if name.startswith("asymbp-")]
            # Below one of our classes any class is ours.
            assert not foreign or ours[:1] == foreign[:1], (path.name, selector)
    for path in ROOT.glob("docs/**/*.md"):
        used = re.findall(r"class=\"(asymbp-[\w-]+)\"", path.read_text("utf-8"))
        assert set(used) <= defined, path.name


@pytest.mark.slow
@pytest.mark.skipif(not CHROMIUM, reason="chromium is not on PATH")
def test_pages_are_neither_narrow_nor_wide_nor_endless(site):
    sync_api = pytest.importorskip("playwright.sync_api")
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 20
    faults = []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        for width in WIDTHS:
            page = browser.new_page(viewport={"width": width, "height": 900})
            for path in pages:
                page.goto(path.as_uri())
                measured = page.evaluate(MEASURE, [TEXT, CELL, FEW_WORDS])
                where = f"{path.relative_to(site)} at {width}"
                if measured["height"] > HIGHEST[width]:
                    faults.append(f"{where} is {measured['height']} high")
                if measured["beyond"] > 0:
                    faults.append(f"{where} scrolls sideways by {measured['beyond']}")
                faults += [f"{where} has text of {each}" for each in measured["narrow"]]
        browser.close()
    assert not faults, "\n".join([f"{len(faults)} faults", *faults[:20]])


@pytest.mark.slow
def test_the_reference_shows_what_help_shows(site):
    page = (site / "reference" / "layers.html").read_text(encoding="utf-8")
    sections = page.split("<h2")
    for name, layer in LAYERS.items():
        (entry,) = [
            each for each in sections if f'{layer.__module__}.{name}"' in each[:99]
        ]
        text = " ".join(html.unescape(re.sub(r"<[^>]+>", "", entry)).split())
        for argument in inspect.signature(layer).parameters:
            assert f" {argument} (" in text, (name, argument)
        assert "Output shape: `" not in text  # Markdown, shown as such
        assert "Output shape: (batch" in text
        assert not re.search(
            r"\*\*kwargs|Defaults to", text
        )  # defaults are by the types
