from keras_asymbp.benchmarks.results import assessment, inventory
from keras_asymbp.benchmarks.results.claims import CLAIMS
from keras_asymbp.benchmarks.results.store import Store
from keras_asymbp.benchmarks.results.verdicts import counts
from keras_asymbp.benchmarks.tables.experiments import EXPERIMENTS


def test_every_setup_is_assessed(tmp_path, finish, make_cell):
    store = Store(tmp_path)
    for epochs in (7, 8):
        for column in EXPERIMENTS["C1"].columns:
            cell = make_cell(
                column, epochs=epochs, learning_rates=(0.5,), validation_share=0.1
            )
            for trial in cell.trials():
                finish(store, cell, trial, 0.5, validation_error=0.4)
    held = inventory.take(store)
    found = assessment.assess(held, held.setups, held.plans())
    assert [a.setup.protocol.epochs for a in found] == [7, 8]
    for assessed in found:
        assert sum(counts(assessed.findings).values()) == len(CLAIMS)
        checks = [t.check for f in assessed.findings for t in f.tested]
        assert assessed.inequalities == len(set(checks)) > 0
        assert {a.place for a in assessed.agreements} >= {"Table 4, left of the paper"}
        assert len(assessed.selections) == len(EXPERIMENTS["C1"].columns)


def test_without_results(tmp_path):
    held = inventory.take(Store(tmp_path))
    (found,) = assessment.assess(held, [None], [])
    assert found.inequalities == 0
    assert not found.agreements
    assert not found.selections
