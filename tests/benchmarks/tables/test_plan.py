import itertools

from keras_asymbp.benchmarks.tables.experiments import EXPERIMENTS
from keras_asymbp.benchmarks.tables.plan import Plan


def test_models_are_the_same_runs_if_their_settings_are(make_plan):
    for experiment in EXPERIMENTS.values():
        plan = Plan(experiment, experiment.columns, make_plan().setup)
        of_model = {
            cell.column.name: [cell.settings(trial) for trial in cell.trials()]
            for cell in plan.cells()
        }
        same = {
            pair
            for names in plan.same_runs()
            for pair in itertools.permutations(names, 2)
        }
        for one, other in itertools.permutations(of_model, 2):
            assert ((one, other) in same) == (of_model[one] == of_model[other])


def test_the_runs_of_c2_that_are_the_same(make_plan):
    c2 = EXPERIMENTS["C2"]
    plan = Plan(c2, c2.columns, make_plan().setup)
    assert plan.same_runs() == [
        ["SGD Top", "RndF Top"],
        ["RndF+BN+BM Top", "uSF+BN+BM Top"],
    ]
