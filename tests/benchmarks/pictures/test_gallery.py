import pytest

from keras_asymbp.benchmarks.pictures import gallery
from keras_asymbp.benchmarks.results import inventory
from keras_asymbp.benchmarks.results.store import Store


@pytest.mark.parametrize(
    ("experiment", "errors", "pictures"),
    [
        ("C1", {"SGD": {0: 2.0}, "RndF": {0: 9.0}}, ["agreement", "claims", "curves"]),
        ("C1", {"SGD": {0: 2.0}}, ["agreement", "curves"]),
        ("B1", {"brSF-25+BN+BM": {0: 2.0}}, ["agreement", "signs", "curves"]),
    ],
)
def test_a_setup_has_the_pictures_that_its_results_suffice_for(
    experiment, errors, pictures, make_row, tmp_path
):
    make_row(experiment, errors)
    held = inventory.take(Store(tmp_path), learning_rates=(0.5,))
    (setup,) = held.setups
    assert list(gallery.draw(held, setup)) == pictures
