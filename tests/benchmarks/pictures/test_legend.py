import io

from matplotlib.figure import Figure

from keras_asymbp.benchmarks.pictures import legend
from keras_asymbp.benchmarks.tables.experiments import ALL, EXPERIMENTS

COLUMNS = {c.name: c for experiment in ALL.values() for c in experiment.columns}


def labels(columns):
    figure = Figure(layout="constrained")
    legend.add(figure, columns)
    figure.savefig(io.BytesIO())
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_a_legend_names_rules_remedies_and_layers_that_learn():
    assert labels(EXPERIMENTS["C2"].columns) == [
        *("BP", "RndF", "uSF"),
        *("no remedy", "BN and BM"),
        *("all layers learn", "Bottom: all but the last", "Top: only the last"),
    ]


def test_a_legend_has_only_what_is_shown():
    assert labels([COLUMNS["SGD"], COLUMNS["BN"]]) == ["BP", "no remedy", "BN"]


def test_a_legend_explains_shades():
    assert labels([COLUMNS["brSF-25+BN+BM"], COLUMNS["BM2"]])[-2:] == [
        *("25 % wrong signs", "setting 2 of BM"),
    ]
