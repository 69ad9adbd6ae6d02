import json
import os

import pytest

from keras_asymbp.benchmarks.datasets.reading import tfrecord, without_tfds
from keras_asymbp.benchmarks.errors import UsageError

KEYS = ("png", "jpeg", "label", "text", "vector", "table")


def edit(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def first_shard(folder):
    return min(folder.glob("*train*"))


@pytest.mark.parametrize("splits", ["train", "test", "test+train"])
def test_examples_are_those_of_tfds_in_its_order(splits, kinds):
    from keras_asymbp.benchmarks.datasets.reading import with_tfds

    ours = list(without_tfds.examples(kinds, splits, KEYS))
    theirs = list(with_tfds.examples(kinds, splits, KEYS))
    assert len(ours) == len(theirs) == {"train": 70, "test": 10}.get(splits, 80)
    for our, their in zip(ours, theirs, strict=True):
        for ours_, theirs_ in zip(our, their, strict=True):
            if isinstance(ours_, bytes):
                assert ours_ == theirs_
            else:
                assert ours_.dtype == theirs_.dtype
                assert ours_.tolist() == theirs_.tolist()


def test_shards_of_any_name(copy):
    info = json.loads((copy / "dataset_info.json").read_text())
    for split in info["splits"]:
        split["filepathTemplate"] = "{SPLIT}.{SHARD_INDEX}.{NUM_SHARDS}.{FILEFORMAT}"
    edit(copy / "dataset_info.json", splits=info["splits"])
    before = [shard.name for shard in sorted(copy.glob("*train*"))]
    for number, name in enumerate(before):
        (copy / name).rename(copy / f"train.0000{number}.00003.tfrecord")
    assert len(list(without_tfds.examples(copy, "train", ("label",)))) == 70


def test_a_shard_without_examples_has_no_file(copy):
    info = json.loads((copy / "dataset_info.json").read_text())
    lengths = info["splits"][0]["shardLengths"]
    assert sum(map(int, lengths)) == 70
    first_shard(copy).unlink()
    info["splits"][0]["shardLengths"] = ["0", *lengths[1:]]
    edit(copy / "dataset_info.json", splits=info["splits"])
    read = list(without_tfds.examples(copy, "train", ("label",)))
    assert len(read) == 70 - int(lengths[0])


@pytest.mark.parametrize(
    ("splits", "keys", "words"),
    [
        ("train[:50%]", ("label",), r"the part 'train\[:50%\]' of a split"),
        ("train", ("many",), "the feature 'many'"),
        ("train", ("zipped",), "the feature 'zipped'"),
        ("train", ("open",), "'open', a tensor of unknown size"),
    ],
)
def test_what_takes_tfds(splits, keys, words, kinds):
    words = rf"^{words} of {kinds} .*: pip install tensorflow tensorflow-datasets$"
    with pytest.raises(UsageError, match=words):
        list(without_tfds.examples(kinds, splits, keys))


def test_another_format_takes_tfds(copy):
    edit(copy / "dataset_info.json", fileFormat="array_record")
    words = r"^files of the format 'array_record' of .*: pip install tensorflow"
    with pytest.raises(UsageError, match=words):
        list(without_tfds.examples(copy, "train", ("label",)))


def test_a_cut_shard(copy):
    shard = first_shard(copy)
    os.truncate(shard, shard.stat().st_size - 10)
    with pytest.raises(UsageError, match=rf"^{shard} is damaged \(it ends within"):
        list(without_tfds.examples(copy, "train", ("label",)))


def test_a_wrong_count(copy):
    info = json.loads((copy / "dataset_info.json").read_text())
    info["splits"][0]["shardLengths"][0] = "5"
    edit(copy / "dataset_info.json", splits=info["splits"])
    words = rf"^{first_shard(copy)} is damaged \(it has \d+ of 5 records\)"
    with pytest.raises(UsageError, match=words):
        list(without_tfds.examples(copy, "train", ("label",)))


def test_splits_of_no_meaning(copy):
    info = json.loads((copy / "dataset_info.json").read_text())
    info["splits"][0]["shardLengths"] = ["many"]
    edit(copy / "dataset_info.json", splits=info["splits"])
    with pytest.raises(UsageError, match=r"can't read .*dataset_info.json \(.*many"):
        list(without_tfds.examples(copy, "train", ("label",)))


@pytest.mark.parametrize(
    ("record", "key"),
    [(b"garbage", "label"), (b"", "label"), (None, "label"), (None, "table")],
)
def test_a_record_that_is_no_such_example(record, key, copy):
    shard = first_shard(copy)
    if (
        record is None
    ):  # of another data set: the label is a text, the table has one row
        features = json.loads((copy / "features.json").read_text())
        described = features["featuresDict"]["features"]
        described["table"]["tensor"]["shape"]["dimensions"] = ["1", "3"]
        described["label"], described["text"] = described["text"], described["label"]
        edit(copy / "features.json", **features)
    else:
        parts = len(record).to_bytes(8, "little"), record
        shard.write_bytes(
            b"".join(p + tfrecord.masked_crc(p).to_bytes(4, "little") for p in parts)
        )
    words = rf"^record 1 of {shard} is no example of the data set: delete"
    with pytest.raises(UsageError, match=words):
        list(without_tfds.examples(copy, "train", (key,)))
