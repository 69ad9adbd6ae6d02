"""The README's picture and figures are those of the largest recorded experiment C2."""

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
RESULTS = ROOT / "benchmarks" / "results"
PAPER = "paper-mnist"
COMMAND = "run python docs/ext/readme_picture.py"


@pytest.fixture(scope="module")
def picture(extension):
    """The program that draws the picture, as a module."""
    return extension("readme_picture")


@pytest.fixture(scope="module")
def recorded(picture):
    return picture.largest()


def drawn(svg):
    """The texts of a picture, and the paths that have a colour of their own."""
    return re.findall(r"<text[^>]*>([^<]*)<", svg), re.findall(
        r'<path d="([^"]*)"[^>]*style="(fill: #\w+)', svg
    )


def test_the_pictures_are_those_of_the_recorded_trials(picture, recorded):
    for path, made in picture.pictures(recorded).items():
        texts, bars = drawn(made)
        assert drawn(path.read_text(encoding="utf-8")) == (texts, bars), COMMAND
        assert len(bars) == len(picture.MODELS)
        assert {recorded.error(model) for model in picture.MODELS} <= {*texts}


def test_its_alternative_text_has_the_same_figures(picture, recorded):
    (alternative,) = re.findall(r'alt="(Bars: .*?)"', README)
    errors = [recorded.error(model) for model in picture.MODELS]
    assert re.findall(r"[\d.]+%", alternative) == [*errors, f"{recorded.chance:.0f}%"]


def test_the_findings_are_those_of_the_largest_recorded_scale(recorded):
    found = README.partition("**Found in experiment C2**")[2]
    found, _, rest = found.partition("\nThe paper trains")
    assert f"({recorded.scale}):" in found
    models = (
        *("uSF+BN+BM Bottom", "SGD Bottom", "RndF Bottom", "RndF+BN+BM Bottom"),
        *("RndF", "RndF+BN+BM", "uSF+BN+BM", "SGD"),
    )
    errors = [recorded.error(model) for model in models]
    assert re.findall(r"[\d.]+%", found) == errors
    assert f"[C2](benchmarks/results/{recorded.folder}/report.md" in rest


def test_the_finding_on_random_feedback_is_a_verdict(extension, recorded):
    figures = extension("recorded_figures").Figures(RESULTS)
    words = "With BN and BM it remains behind signs"
    assert words in " ".join(README.split())
    assert figures.verdict(recorded.folder, "C1, signs") == "holds"


def test_the_figures_at_the_paper_s_scale_are_recorded(extension):
    figures = extension("recorded_figures").Figures(RESULTS)
    _, _, found = README.partition("\nThe paper trains")
    found, _, rest = found.partition("[Recorded results]")
    expected = [
        figure(PAPER, model) + "%"
        for model in ("uSF", "uSF+BN+BM", "brSF-100+BN+BM", "SGD")
        for figure in (figures.error, figures.paper)
    ]
    assert re.findall(r"[\d.]+%", found) == expected
    assert f"benchmarks/results/{PAPER}/report.md" in rest
