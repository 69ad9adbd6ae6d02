from keras_asymbp.benchmarks.commands.execute import Outcome
from keras_asymbp.benchmarks.results.store import Store


def test_failures_are_printed(make_cell, tmp_path, capsys):
    outcome = Outcome(Store(tmp_path), {}, "")
    outcome.print_failures()
    assert outcome.exit_code == 0
    assert capsys.readouterr() == ("", "")
    cell = make_cell(seed=3, architecture="cifar")
    outcome = Outcome(Store(tmp_path), {cell: "no memory"}, "")
    outcome.print_failures()
    assert outcome.exit_code == 1
    assert capsys.readouterr() == (
        "",
        "failed: mnist_5k cifar, SGD, seed 3: no memory\n"
        "run the same command again to retry\n",
    )
