import io

import pytest

from keras_asymbp.benchmarks.depth import picture
from keras_asymbp.benchmarks.depth.picture import STYLES
from keras_asymbp.benchmarks.depth.study import Layer, Run
from keras_asymbp.benchmarks.tables.experiments import DEPTH, DEPTH_RULES

COLUMNS = {column.name: column for column in DEPTH.columns}


def run(model, family, depth, error, *angles, seed=0):
    layers = tuple(Layer(f"layer{n}", None, angle) for n, angle in enumerate(angles))
    return Run(family, depth, COLUMNS[model], seed, 2e-3, error, layers)


RUNS = [
    run("BP", "plain", 2, 4.0, 0.0, 0.0),
    run("BP", "plain", 3, 8.0, 0.0, 0.0, 0.0),
    run("RndF", "plain", 2, 10.0, 80.0, 0.0),
    run("RndF", "plain", 3, 20.0, 90.0, 50.0, 0.0),
    run("RndF", "plain", 3, 40.0, 70.0, None, 0.0, seed=1),
    run("BP+BN+BM", "residual", 3, 3.0, 0.0, 0.0, 0.0),
    run("uSF+BN+BM", "residual", 3, 90.0),
]


@pytest.fixture(scope="module")
def panels():
    figure = picture.draw(RUNS)
    figure.savefig(io.BytesIO())  # all of it can be drawn
    rows = [figure.axes[:2], figure.axes[2:4], figure.axes[4:]]
    return figure, rows


def points(panel):
    return {
        line.get_label(): list(zip(*line.get_data(), strict=True))
        for line in panel.lines
        if line.get_label() in STYLES
    }


def test_a_column_of_panels_for_each_family_and_help(panels):
    _, rows = panels
    assert [panel.get_title() for panel in rows[0]] == [
        "plain, alone",
        "residual, BN+BM",
    ]


def test_errors_against_depth_are_the_means_of_the_seeds(panels):
    _, ((plain, residual), *_) = panels
    assert points(plain) == {"BP": [(2, 4), (3, 8)], "RndF": [(2, 10), (3, 30)]}
    assert points(residual) == {"BP": [(3, 3)], "uSF": [(3, 90)]}


def test_angles_of_the_lowest_layer_against_depth(panels):
    _, (_, (plain, residual), _) = panels
    assert points(plain) == {"BP": [(2, 0), (3, 0)], "RndF": [(2, 80), (3, 80)]}
    assert points(residual) == {"BP": [(3, 0)], "uSF": []}


def test_angles_by_layer_are_those_of_the_deepest_network(panels):
    _, (*_, (plain, residual)) = panels
    assert points(plain) == {
        "BP": [(1, 0), (2, 0), (3, 0)],
        "RndF": [(1, 80), (2, 50), (3, 0)],
    }
    assert points(residual)["BP"] == [(1, 0), (2, 0), (3, 0)]


def test_a_rule_looks_the_same_in_every_panel(panels):
    figure, _ = panels
    lines = [line for panel in figure.axes for line in panel.lines]
    looks = {
        (line.get_label(), line.get_color(), line.get_marker())
        for line in lines
        if line.get_label() in STYLES
    }
    assert looks == {(rule, *STYLES[rule]) for rule in ("BP", "uSF", "RndF")}
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["BP", "uSF", "RndF"]


def test_rules_differ_by_more_than_colour():
    colors, markers = zip(*STYLES.values(), strict=True)
    assert set(STYLES) == set(DEPTH_RULES)
    assert len(set(colors)) == len(set(markers)) == len(STYLES)
