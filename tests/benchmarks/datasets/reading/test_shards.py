import json
import os

import pytest

from keras_asymbp.benchmarks.datasets import reading
from keras_asymbp.benchmarks.datasets.reading import shards
from keras_asymbp.benchmarks.errors import UsageError


def test_a_whole_data_set(kinds):
    shards.check(kinds, "train")
    shards.check(kinds, "test")
    found = shards.of_split(kinds, "train")
    assert [path.is_file() for path, _ in found] == [True] * 3
    assert sum(count for _, count in found) == 70


def damage(shard, how):
    content = shard.read_bytes()
    match how:
        case "gone":
            shard.unlink()
        case "empty":
            shard.write_bytes(b"")
        case "cut":
            os.truncate(shard, len(content) - 10)
        case "cut between records":
            length = int.from_bytes(content[:8], "little")
            shard.write_bytes(content[: length + 16])
        case "half filled":
            shard.write_bytes(content[: len(content) // 2] + bytes(len(content) // 2))
        case "another file":
            shard.write_bytes(b"<html>moved</html>" * 10)
        case "pipe":
            shard.unlink()
            os.mkfifo(shard)
        case "folder":
            shard.unlink()
            shard.mkdir()


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("gone", "No such file"),
        ("empty", r"it has 0 of \d+ records"),
        ("cut", "it ends within record"),
        ("cut between records", r"it has 1 of \d+ records"),
        ("half filled", "it has more than|it ends within"),
        ("another file", "it ends within record 1 of"),
        ("pipe", "it is a named pipe"),
        ("folder", "it is a folder"),
    ],
)
def test_damage_is_named_before_anything_is_read(how, words, copy):
    shard = sorted(copy.glob("*train*"))[1]
    damage(shard, how)
    with pytest.raises(
        UsageError, match=rf"{shard} .*\(({words}).*\): delete its folder"
    ):
        reading.examples(copy, "test+train[:3]", ("label",))
    if how != "pipe":  # TFDS may open any file of the folder
        assert len(list(reading.examples(copy, "test", ("label",)))) == 10


def test_a_pipe_that_tfds_would_wait_for(copy):
    (copy / "label.labels.txt").unlink()
    os.mkfifo(copy / "label.labels.txt")
    with pytest.raises(UsageError, match=r"labels.txt \(it is a named pipe"):
        reading.examples(copy, "test", ("label",))


def edit(folder, **changes):
    path = folder / "dataset_info.json"
    info = json.loads(path.read_text())
    info["splits"][0] |= changes
    path.write_text(json.dumps(info))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"shardLengths": ["-1", "70", "1"]}, "can't read .*-1 records"),
        ({"shardLengths": 5}, "can't read "),
        ({"filepathTemplate": "../../{SPLIT}"}, "can't read .*in another folder"),
        ({"filepathTemplate": 5}, "can't read "),
        ({"numBytes": "7"}, r"split 'train' of .* has \d+ bytes of records, not the 7"),
        ({"numBytes": "many"}, "can't read .*many"),
    ],
)
def test_a_description_that_does_not_fit(changes, words, copy):
    edit(copy, **changes)
    with pytest.raises(
        UsageError,
        match=rf"{words}.*: delete its folder",
    ):
        shards.check(copy, "train")
