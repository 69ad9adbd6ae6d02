import dataclasses
import io
import itertools

from matplotlib.figure import Figure

from keras_asymbp.benchmarks.pictures.looks import COLORS, OTHER_RULES, add_legend, look
from keras_asymbp.benchmarks.tables.experiments import ALL, EXPERIMENTS, Column

COLUMNS = {c.name: c for experiment in ALL.values() for c in experiment.columns}


def labels(columns):
    figure = Figure(layout="constrained")
    add_legend(figure, columns)
    figure.savefig(io.BytesIO())
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_every_rule_has_a_colour_of_its_own():
    assert {column.rule for column in COLUMNS.values()} <= set(COLORS)
    assert len(set(COLORS.values())) == len(COLORS)
    assert look(Column("mine", rule="mine")).color == OTHER_RULES not in COLORS.values()


def test_models_of_a_table_look_alike_only_where_it_varies_signs_or_settings():
    for experiment in EXPERIMENTS.values():
        for one, other in itertools.combinations(experiment.columns, 2):
            same = dataclasses.replace(one, name=other.name) == other
            if look(one) == look(other) and not same:
                probabilities = one.flip_probability, other.flip_probability
                settings = one.setting, other.setting
                assert len({*probabilities}) == 2 or len({*settings}) == 2


def test_a_legend_names_rules_remedies_and_layers_that_learn():
    assert labels(EXPERIMENTS["C2"].columns) == [
        *("BP", "RndF", "uSF"),
        *("no remedy", "BN and BM"),
        *("all layers learn", "Bottom: all but the last", "Top: only the last"),
    ]


def test_a_legend_has_only_what_is_shown():
    assert labels([COLUMNS["SGD"], COLUMNS["BN"]]) == ["BP", "no remedy", "BN"]
