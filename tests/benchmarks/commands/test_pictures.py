import pytest

from keras_asymbp.benchmarks.commands import pictures
from keras_asymbp.benchmarks.commands.flags.folders import take_inventory
from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.results.store import Store


@pytest.fixture
def stored(tmp_path, make_plan, finish):
    """Stores a run of SGD for this number of epochs; returns the folder."""

    def store(epochs, **protocol):
        plan = make_plan(epochs=epochs, learning_rates=(0.5,), **protocol)
        (cell,) = plan.cells()
        finish(Store(tmp_path), cell, cell.trials()[0], 0.02)
        return str(tmp_path)

    return store


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.svg"))


def test_pictures_of_one_setup(stored, tmp_path, capsys):
    assert pictures._run(take_inventory(stored(7), rates=["0.5"])) == 0
    assert files(tmp_path) == ["pictures/agreement.svg", "pictures/curves.svg"]
    assert capsys.readouterr().out == (
        f"mnist_5k: agreement, curves in {tmp_path}/pictures\n"
    )


def test_each_of_several_setups_has_a_folder(stored, tmp_path, capsys):
    stored(7, train_examples=100)
    assert pictures._run(take_inventory(stored(7), rates=["0.5"])) == 0
    assert files(tmp_path) == [
        f"pictures/{number}/{name}.svg"
        for number in (1, 2)
        for name in ("agreement", "curves")
    ]
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("mnist_5k, 100 training examples: ")
    assert second.startswith("mnist_5k: ")


def test_a_folder_without_trials_is_refused_in_one_line(tmp_path, capsys):
    Store(tmp_path)
    (tmp_path / "trials" / "half.json").write_text('{"half')
    with pytest.raises(UsageError, match="that a picture can show") as caught:
        pictures._run(take_inventory(str(tmp_path)))
    assert "\n" not in str(caught.value)
    assert "half.json is no JSON" in capsys.readouterr().err


def test_other_learning_rates_are_asked_for(stored, tmp_path):
    with pytest.raises(UsageError, match=r"that a picture .*--learning_rates=0\.5$"):
        pictures._run(take_inventory(stored(6), rates=["0.1"]))
    assert not (tmp_path / "pictures").exists()


def test_pictures_that_cannot_be_written_are_refused_in_one_line(stored, tmp_path):
    folder = stored(6)
    (tmp_path / "pictures").write_text("a file where the folder should be")
    with pytest.raises(UsageError, match="can't write the report"):
        pictures._run(take_inventory(folder, rates=["0.5"]))
