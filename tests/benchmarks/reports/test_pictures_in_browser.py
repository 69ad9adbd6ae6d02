"""The pictures of report.html in a real browser."""

import json
import re

import pytest

from keras_asymbp.benchmarks.results.measures import MEASURES

PICTURES = ("signs", "rates", "curves", "alignment", "scatter", "times")


def test_pictures_are_drawn(page):
    for name in PICTURES:
        canvas = page.locator(f"#{name} canvas")
        colored, gray = canvas.evaluate(
            """canvas => {
              const {width, height} = canvas;
              const image = canvas.getContext("2d").getImageData(0, 0, width, height);
              let counts = [0, 0];
              for (let at = 0; at < image.data.length; at += 4) {
                const [r, g, b, alpha] = image.data.slice(at, at + 4);
                if (alpha < 128) continue;
                const spread = Math.max(r, g, b) - Math.min(r, g, b);
                counts[spread > 50 ? 0 : 1] += 1;
              }
              return counts;
            }"""
        )
        assert colored > 1000, name  # lines and points
        assert gray > 1000, name  # axes and letters
        assert re.match("Line|Scatter|Dot", canvas.get_attribute("aria-label"))


@pytest.mark.parametrize(
    ("name", "heads", "rows"),
    [
        (
            "signs",
            ["ours, batchwise", "paper, batchwise", "ours, fixed", "paper, fixed"],
            [
                ["0", "60.50", "7.87", "40.50", "4.25"],
                ["50", "10.50", "7.54", "5.50", "1.37"],
                # Of the last model on the right one seed is complete.
                ["100", "4.50", "0.80", "3.00", "0.91"],
            ],
        ),
        (
            "rates",
            ["5e-4", "0.005"],
            [["SGD", "5.25", "3.50"], ["BN", "3.75", "2.50"]],
        ),
        (
            "curves",
            ["SGD", "BN", "uSF"],
            [["1", "18.00", "12.00", "90.00"], ["2", "15.00", "10.00", "90.00"]],
        ),
        ("times", ["runs", "median"], [["SGD", "4", "1.25"], ["BN", "4", "1.25"]]),
        (
            "alignment",
            ["SGD", "BN"],
            [["1 conv", "80.00", "80.00"], ["2 logits", "0.00", "0.00"]],
        ),
        (
            "scatter",
            ["ours", "paper"],
            [["SGD", "3.50", "0.67"], ["BN", "2.50", "0.52"]],
        ),
    ],
)
def test_pictures_as_numbers(name, heads, rows, page):
    page.locator(f"#{name} summary").click()
    table = page.locator(f"#{name} table")
    found = [row.split("\t") for row in table.locator("tr").all_inner_texts()]
    assert found[0][1 : len(heads) + 1] == heads
    assert [row[: len(rows[0])] for row in found[1 : len(rows) + 1]] == rows


def test_diagnostics_by_layer(visit):
    page = visit()
    choices = page.locator("#alignment-quantity option")
    assert choices.count() == 2 + len(MEASURES)
    caption, rows = (page.locator(f"#alignment {tag}") for tag in ("figcaption", "tr"))

    def choose(quantity):
        page.locator("#alignment-quantity").select_option(quantity)
        found = [row.locator("th, td").all_text_contents()[:3] for row in rows.all()]
        scale, low, first = page.locator("#alignment canvas").evaluate(
            """canvas => {
              const {scales: {y: {type, min}}, data} = Chart.getChart(canvas);
              return [type, min, data.datasets[0].data[0].y];
            }"""
        )
        return found, scale, low, first

    found = [["layer", "SGD", "BN"], ["1 conv", "0", "1.25e-7"], ["2 logits", "1", "1"]]
    assert choose("error_rms") == (found, "logarithmic", 1e-7, 1e-7)
    assert "logarithmic. Values of 0 and below are drawn at its" in caption.inner_text()
    found[1][1:] = ["-0.5", "-0.5"]
    assert choose("error_cosine") == (found, "linear", -1, -0.5)
    found[1][1:] = ["?", "?"]
    assert choose("preactivation_rms") == (found, "linear", 0, 1)
    page.locator("#alignment-seed").select_option("1")
    assert choices.count() == 2
    assert "degrees" in page.locator("#alignment caption").text_content()


def test_curves_of_a_figure(visit, figure, hostile):
    page = visit()
    figure(page, 1, "brSF-100+BN+BM", row=1).get_by_role("button").hover()
    page.get_by_role("button", name="Learning curves").click()
    caption = page.locator("#curves figcaption")
    assert caption.inner_text().startswith(f"brSF-100+BN+BM on {hostile}, seed 0.")
    page.get_by_label("Seed").first.select_option("1")
    assert "seed 1" in caption.inner_text()
    assert page.evaluate("document.activeElement.id") == "curves-section"


def test_curves_of_a_model_by_rate(visit):
    page = visit()
    page.locator("#curves-model").select_option(label="SGD")
    table = page.locator("#curves table")
    heads, first = (row.text_content() for row in table.locator("tr").all()[:2])
    splits = ("test", "training")
    names = [f"{rate}: {split}" for rate in ("0.005", "5e-4") for split in splits]
    assert heads == "epoch" + "".join(names)
    assert first == "118.009.0027.0013.50"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_two_models_of_a_picture_share_a_mark(scheme, visit):
    page = visit(scheme=scheme)
    for name in PICTURES:
        marks = page.locator(f"#{name} canvas").evaluate(
            """canvas => Chart.getChart(canvas).data.datasets
              .filter(({data, mark}) => data.length && mark)
              .map(({label, mark}) => [label, mark])"""
        )
        legend = page.locator(f"#{name} canvas").evaluate(
            """canvas => Chart.getChart(canvas).data.datasets
              .filter(({unlisted}) => !unlisted)
              .map(({mark, borderDash}) => JSON.stringify([mark, borderDash]))"""
        )
        assert len(set(legend)) == len(legend), name
        labels, seen = {label for label, _ in marks}, [m for _, m in marks]
        assert len(labels) == len(marks) > 1, name
        assert len({json.dumps(mark) for mark in seen}) == len(seen), name
        if name != "curves":  # one rule, one colour
            assert {m["color"] for label, m in marks if label == "SGD"} <= {
                {"light": "#000000", "dark": "#F2F2F5"}[scheme]
            }


def test_a_click_in_the_legend_hides_a_model(visit):
    page = visit()
    canvas = page.locator("#rates canvas")
    canvas.scroll_into_view_if_needed()
    # The legend moves until the picture has its size.
    at = canvas.evaluate(
        """async (canvas) => {
          let now, last;
          do {
            last = now;
            await new Promise((resolve) => setTimeout(resolve, 100));
            const {left, top} = Chart.getChart(canvas).legend.legendHitBoxes[1];
            now = JSON.stringify({x: left + 40, y: top + 5});
          } while (now !== last);
          return JSON.parse(now);
        }"""
    )
    canvas.click(position=at)
    page.wait_for_function(
        """() => {
          const canvas = document.querySelector("#rates canvas");
          return !Chart.getChart(canvas).isDatasetVisible(1);
        }"""
    )
    shown = canvas.evaluate(
        """canvas => [0, 1, 2].map((n) => Chart.getChart(canvas).isDatasetVisible(n))"""
    )
    assert shown == [True, False, True]


def test_no_panel_where_nothing_was_recorded(visit, folder):
    text = (folder / "report.html").read_text(encoding="utf-8")
    without = text.replace('"alignment":[', '"other":[')
    (folder / "bare.html").write_text(without, encoding="utf-8")
    bare = visit(file="bare.html")
    for part in ("#alignment-section", "#to-alignment"):
        assert bare.locator(part).is_hidden()
    assert bare.locator("#curves-section").is_visible()
