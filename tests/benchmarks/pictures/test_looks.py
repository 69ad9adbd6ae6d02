import dataclasses
import itertools
import subprocess
import sys

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from keras_asymbp.benchmarks.pictures.looks import (
    COLORS,
    OTHER_RULES,
    distinct,
    look,
)
from keras_asymbp.benchmarks.reports import page
from keras_asymbp.benchmarks.tables.experiments import ALL, Column

COLUMNS = {c.name: c for experiment in ALL.values() for c in experiment.columns}
LOOK = look(COLUMNS["SGD"])


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


@pytest.mark.parametrize("shade", [1.0, 0.25, 0.0])
def test_the_edge_of_a_point_is_seen_at_every_shade(shade):
    figure = Figure(figsize=(1, 1), dpi=100)
    panel = figure.add_axes((0, 0, 1, 1), frame_on=False)
    point = dataclasses.replace(LOOK, shade=shade).point()
    panel.plot(0, 0, **point | {"markersize": 40, "markeredgewidth": 4})
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[..., :3].reshape(-1, 3)
    assert LOOK.color == "#000000"
    assert (pixels == 0).all(axis=1).any()


def test_the_report_needs_no_matplotlib():
    # It is in an extra.
    program = f"import sys; sys.modules['matplotlib'] = None; import {page.__name__}"
    subprocess.run([sys.executable, "-c", program], check=True)
