from keras_asymbp.benchmarks.pictures import looks
from keras_asymbp.benchmarks.reports import script_data
from keras_asymbp.benchmarks.tables.experiments import EXPERIMENTS, Column


def test_a_look_has_both_colours_and_a_mark():
    look = looks.look(Column("SGD Bottom", clamped="Bottom"))
    assert script_data.of_look(look) == ["#000000", "#F2F2F5", "o", "--", "bottom", 1.0]


def test_only_experiments_that_vary_signs_have_a_concordance():
    found = {
        name: script_data.of_experiment(EXPERIMENTS[name], columns, [])["concordance"]
        for name, columns in {
            "A": EXPERIMENTS["A"].columns,
            "B1": EXPERIMENTS["B1"].columns[:3],
        }.items()
    }
    assert found == {"A": None, "B1": [None, 0, 25]}
