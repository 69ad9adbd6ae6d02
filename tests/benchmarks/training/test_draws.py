import numpy as np
import pytest
from scipy import stats

from keras_asymbp.benchmarks.training import draws
from keras_asymbp.benchmarks.training.draws import Stream


def test_the_words_are_philoxs_and_stay_so():
    # Figures of stored results depend on them: a change needs a new REVISION.
    found = draws.words(3, Stream.SHIFTS, seed=7, number=5)
    assert found.tolist() == [
        18_340_041_489_519_462_480,
        5_694_129_339_117_009_467,
        13_158_312_556_706_318_988,
    ]


def test_every_seed_stream_and_number_has_its_own_words():
    found = {
        draws.words(1, stream, seed, number).item()
        for stream in Stream
        for seed in range(5)
        for number in range(5)
    }
    assert len(found) == len(Stream) * 25


def test_words_do_not_depend_on_their_number():
    few, many = (draws.words(n, Stream.ORDER, 1, 2) for n in (3, 1000))
    np.testing.assert_array_equal(few, many[:3])


def test_an_order_has_every_position_once():
    found = [draws.order(50, Stream.ORDER, 0, epoch) for epoch in range(400)]
    assert all(sorted(each) == list(range(50)) for each in found)
    # Every position is equally likely to be the first.
    counts = np.bincount([each[0] for each in found], minlength=50)
    assert stats.chisquare(counts).pvalue > 1e-3


@pytest.mark.parametrize(
    ("draw", "distribution"),
    [
        (draws.uniform, stats.uniform()),
        (draws.normal, stats.norm()),
        (lambda *which: draws.normal(*which, cut=2.0), stats.truncnorm(-2, 2)),
    ],
)
def test_distributions(draw, distribution):
    found = draw(20_000, Stream.WEIGHTS, 0, 0)
    assert stats.kstest(found, distribution.cdf).pvalue > 1e-3
    low, high = distribution.support()
    assert low < found.min()
    assert found.max() < high
