import os

import pytest

from keras_asymbp.benchmarks.datasets.reading import with_tfds
from keras_asymbp.benchmarks.errors import UsageError


def test_images_are_left_encoded(kinds):
    (png, jpeg), *others = with_tfds.examples(kinds, "test", ("png", "jpeg"))
    assert (png[:4], jpeg[:3]) == (b"\x89PNG", b"\xff\xd8\xff")
    assert len(others) == 9


def test_tfds_does_not_warn_of_its_own_attributes(kinds, run_python):
    program = f"""
import logging, sys
logging.basicConfig(stream=sys.stdout)
import pathlib
from absl import logging
from keras_asymbp.benchmarks.datasets.reading import with_tfds
kinds = pathlib.Path({str(kinds)!r})
print(len(list(with_tfds.examples(kinds, "test", ("png", "label")))))
logging.warning("warnings are shown")
"""
    assert run_python(program) == "10\nWARNING:absl:warnings are shown\n"


def test_parts_of_splits(kinds):
    assert (
        len(list(with_tfds.examples(kinds, "train[:50%]+test[:3]", ("label",)))) == 38
    )


def test_a_folder_without_a_description(copy):
    (copy / "features.json").write_text("{")
    words = rf"^can't read {copy} \([^\n]*\): delete its folder"
    with pytest.raises(UsageError, match=words):
        next(with_tfds.examples(copy, "train", ("label",)))


@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_a_damaged_shard(damage, copy):
    shard = sorted(copy.glob("*train*"))[1]
    if damage == "cut":
        os.truncate(shard, shard.stat().st_size - 10)
    else:
        shard.unlink()
    cut = rf"{shard} is damaged \(truncated record at [^\n]*\)"
    words = cut if damage == "cut" else rf"can't read {copy} \([^\n]*\)"
    with pytest.raises(UsageError, match=f"^{words}: delete its folder"):
        list(with_tfds.examples(copy, "train", ("label",)))
