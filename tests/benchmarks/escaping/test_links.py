import os
import urllib.parse

from hypothesis import given
from hypothesis import strategies as st

from keras_asymbp.benchmarks.escaping import links


@given(st.binary())
def test_a_link_leads_to_the_file_of_any_name(name):
    link = links.to_file(os.fsdecode(name))
    assert urllib.parse.unquote_to_bytes(link) == name
    assert link.isascii()
    assert not set(link) & set(" ()#?<>|&\"'[]:\\\n")


def test_a_surrogate_of_no_byte_is_no_error():
    assert links.to_file("\ud800") == "%ED%A0%80"
