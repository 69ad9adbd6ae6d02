import sys

import pytest

from keras_asymbp.benchmarks.datasets import reading
from keras_asymbp.benchmarks.errors import UsageError


@pytest.mark.parametrize("missing", [None, "tensorflow", "tensorflow_datasets"])
def test_the_reader_follows_what_is_installed(missing, kinds, monkeypatch):
    if missing:
        monkeypatch.setitem(sys.modules, missing, None)
    assert reading.has_tfds() == (missing is None)
    examples = reading.examples(kinds, "test", ("label",))
    expected = "without_tfds" if missing else "with_tfds"
    assert examples.gi_code.co_filename.endswith(f"/{expected}.py")
    assert len(list(examples)) == 10


@pytest.mark.parametrize("splits", ["validation", "train+validation[:3]"])
def test_an_unknown_split(splits, kinds):
    words = rf"^{kinds} has no split 'validation': it has train, test; choose another"
    with pytest.raises(UsageError, match=words):
        reading.examples(kinds, splits, ("label",))
