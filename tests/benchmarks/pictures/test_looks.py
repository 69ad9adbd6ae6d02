import dataclasses
import io
import itertools

from matplotlib.figure import Figure

from keras_asymbp.benchmarks.pictures.looks import (
    COLORS,
    OTHER_RULES,
    add_legend,
    distinct,
    look,
)
from keras_asymbp.benchmarks.tables.experiments import ALL, EXPERIMENTS, Column

COLUMNS = {c.name: c for experiment in ALL.values() for c in experiment.columns}
LOOK = look(COLUMNS["SGD"])


def labels(columns):
    figure = Figure(layout="constrained")
    add_legend(figure, columns)
    figure.savefig(io.BytesIO())
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_every_rule_has_a_colour_of_its_own():
    assert {column.rule for column in COLUMNS.values()} <= set(COLORS)
    assert len(set(COLORS.values())) == len(COLORS)
    assert look(Column("mine", rule="mine")).color == OTHER_RULES not in COLORS.values()


def test_no_two_models_share_a_mark():
    every = [column for experiment in ALL.values() for column in experiment.columns]
    sets = [experiment.columns for experiment in ALL.values()]
    for columns in (*sets, every, every[::-1]):
        looks = distinct(columns)
        for one, other in itertools.combinations(looks, 2):
            same_runs = dataclasses.replace(one, name=other.name) == other
            assert (looks[one].mark == looks[other].mark) == same_runs, (one, other)


def test_in_a_table_each_model_has_the_look_that_it_has_alone():
    for experiment in ALL.values():
        looks = distinct(experiment.columns)
        assert looks == {column: look(column) for column in experiment.columns}


def test_any_number_of_rules_and_settings_of_a_users_own_is_told_apart():
    columns = [Column(f"{n}", rule=f"mine {n}", weight_decay=n) for n in range(100)]
    assert len({kind.mark for kind in distinct(columns).values()}) == 100


def test_every_colour_has_its_like_on_a_dark_ground():
    bright = {dataclasses.replace(LOOK, color=c).on_dark for c in COLORS.values()}
    assert len(bright) == len(COLORS)
    assert not bright & set(COLORS.values())


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
