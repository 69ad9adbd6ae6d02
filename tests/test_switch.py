import threading

import pytest

from keras_asymbp._switch import Switch


def test_is_on_inside_and_off_outside():
    switch, other = Switch("switch"), Switch("other")
    assert not switch
    with switch():
        assert switch
        assert not other
        with switch(), other():
            assert switch
            assert other
        assert switch
        assert not other
    assert not switch


def test_is_off_after_an_error():
    switch = Switch("switch")
    with pytest.raises(ZeroDivisionError), switch():
        raise ZeroDivisionError
    assert not switch


def test_is_local_to_a_thread():
    switch, seen = Switch("switch"), []
    with switch():
        thread = threading.Thread(target=lambda: seen.append(bool(switch)))
        thread.start()
        thread.join()
    assert seen == [False]
