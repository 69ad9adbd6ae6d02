import pytest

from keras_asymbp.benchmarks.commands.flags.folders import take_inventory
from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.results.store import Store


def test_the_inventory_of_a_folder(tmp_path, make_cell, finish):
    cell = make_cell(epochs=7, learning_rates=(0.5,))
    finish(Store(tmp_path), cell, *cell.trials(), 0.25)
    held = take_inventory(str(tmp_path), rates=["0.5"])
    assert held.store.folder == tmp_path
    assert [setup.protocol.learning_rates for setup in held.setups] == [(0.5,)]


def test_what_is_wrong_is_refused_before_the_folder_is_read(tmp_path):
    with pytest.raises(UsageError, match="did you mean 'mnist_5k'"):
        take_inventory(str(tmp_path), ["mnist5k"])
    with pytest.raises(UsageError, match="learning rate 'fast' must be a number"):
        take_inventory(str(tmp_path), rates=["fast"])
    with pytest.raises(UsageError, match="no results in"):
        take_inventory(str(tmp_path / "none"))
