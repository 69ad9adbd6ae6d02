import gc

import pytest

from keras_asymbp.benchmarks.results import garbage


@pytest.fixture(autouse=True)
def thawed():
    yield
    gc.unfreeze()


def test_the_search_is_off_inside_and_what_was_made_stays_out():
    before = gc.get_freeze_count()
    with garbage.unsearched():
        assert not gc.isenabled()
        made = [[] for _ in range(1_000)]
    assert gc.isenabled()
    assert gc.get_freeze_count() >= before + len(made)


def test_the_search_is_on_again_after_an_error():
    with pytest.raises(ValueError, match="inside"), garbage.unsearched():
        raise ValueError("inside")
    assert gc.isenabled()


def test_it_stays_off_where_it_was_off():
    gc.disable()
    try:
        with garbage.unsearched():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
