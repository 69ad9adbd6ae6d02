import os
import shutil
import time

import pytest

from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.datasets import identity, prepared, reading, tfds_folder
from keras_asymbp.benchmarks.datasets.prepared import Fit
from keras_asymbp.benchmarks.datasets.subset import Subset
from keras_asymbp.benchmarks.datasets.tfds_folder import TfdsFolder
from keras_asymbp.benchmarks.errors import UsageError


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"one")
    return path


@pytest.fixture
def settled(monkeypatch):
    """Files count as old enough to be remembered."""
    monkeypatch.setattr(identity, "_COARSE", 0)


@pytest.fixture
def read(file):
    """Reads the file's identity, and counts how often its content is read."""

    def content():
        read.count += 1
        return f"{file.read_bytes().hex():0<64}"

    def read():
        return identity.remembered("test", file, [file], content)

    read.count = 0
    return read


def test_an_unchanged_file_is_read_once(read, settled):
    assert read() == read()
    assert read.count == 1


def change(path, way):
    """Changes a file, but neither its size nor its time of modification."""
    before = path.stat()
    time.sleep(0.05)  # longer than a tick of the clock of files
    if way == "replaced":
        copy = path.with_name("copy")
        copy.write_bytes(b"two")
        copy.replace(path)
    else:
        path.write_bytes(b"two")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("way", ["replaced", "written"])
def test_a_change_is_seen_by_neither_size_nor_time(way, file, read, settled):
    first = read()
    change(file, way)
    assert read() != first


def test_a_file_that_has_just_changed_is_read_again(read):
    """Its next change may leave the same times behind."""
    assert read() == read()
    assert read.count == 2


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"state": 1}', None])
def test_a_damaged_record_is_written_anew(damage, read, settled, cache):
    first = read()
    (record,) = (cache / ".identities").iterdir()
    whole = record.read_text()
    record.write_text(whole[:-6] + '"}' if damage is None else damage)
    assert read() == first
    assert read.count == 2
    assert record.read_text() == whole


def test_without_a_cache_to_write_to_it_is_read_each_time(read, settled, cache):
    cache.touch()  # a file where the folder belongs
    assert read() == read()
    assert read.count == 2


def test_a_file_that_changes_while_it_is_read(file):
    def content():
        change(file, "replaced")
        return "0" * 64

    with pytest.raises(UsageError, match="has changed while it was read: run the"):
        identity.remembered("test", file, [file], content)


def test_a_file_that_is_gone(file, read):
    file.unlink()
    with pytest.raises(UsageError, match=rf"can't read {file} \(No such file"):
        read()


TOY = TfdsFolder("toy")
SPLITS = {"train": [0, 1, 2, 0, 1, 2], "test": [2, 1]}


@pytest.fixture
def version(tmp_path, write_tfds):
    """Prepares a data set in a folder of its own; returns its identity there."""

    def version(source=TOY, splits=SPLITS, **changes):
        root = tmp_path / f"root{version.count}"
        version.count += 1
        write_tfds(root, "toy", splits, **changes)
        return source.version(str(root))

    version.count = 0
    return version


@pytest.mark.parametrize(
    "changes",
    [
        {"splits": SPLITS | {"train": [0, 1, 2, 0, 2, 1]}},
        {"splits": SPLITS | {"test": [2, 2]}},
        {"splits": {"train": SPLITS["train"][:-1], "test": SPLITS["test"]}},
        {"splits": {"train": [*SPLITS["train"], 2], "test": [1]}},
        {"splits": {"train": SPLITS["test"], "test": SPLITS["train"]}},
        {"colour": 1},
        {"num_classes": 4},
        {"names": ("a", "b", "c")},
    ],
)
def test_other_content_of_the_same_version_has_another_identity(changes, version):
    """The same name, version, sizes and counts: only the bytes differ."""
    assert version(**changes) != version()


def test_the_same_content_has_the_same_identity_in_other_files(version, monkeypatch):
    """TFDS writes the features of an example in any order."""
    extra = SPLITS | {"unlabelled": [5, 6]}
    assert version() == version(backward=True) == version(splits=extra)
    monkeypatch.setattr(
        tfds_folder.without_tfds,
        "examples",
        lambda *arguments: (_ for _ in ()).throw(
            tfds_folder.without_tfds.NeedsTfdsError
        ),
    )
    by_tfds = version()
    monkeypatch.undo()
    assert by_tfds == version()


def test_a_subset_has_the_identity_of_all_splits_it_is_drawn_from(version):
    subset = Subset(TOY, "train+test", classes=3, train=1, test=1)
    first = version(subset)
    assert first == version(subset, backward=True)
    assert first.endswith("-3x1+1-seed0")
    assert first != version(subset, SPLITS | {"test": [2, 2]})
    assert first != version(subset, names=("b", "a", "c"))
    fewer = Subset(TOY, "train+test", classes=2, train=1, test=1)
    assert version(fewer) != first


@pytest.mark.parametrize("has_tfds", [True, False])
def test_data_prepared_anew_has_a_cache_of_its_own(
    has_tfds, tmp_path, write_tfds, monkeypatch
):
    monkeypatch.setattr(reading, "has_tfds", lambda: has_tfds)
    data_dir = str(tmp_path)
    write_tfds(data_dir, "toy", SPLITS)

    def labels():
        toy = datasets.get("toy", data_dir)
        return prepared.load(Fit(toy, (8, 8, 3), data_dir=data_dir)).y_train.tolist()

    assert labels() == SPLITS["train"]
    shutil.rmtree(tmp_path / "toy")
    anew = {"train": [2, 1, 0, 2, 1, 0, 0], "test": [1]}
    write_tfds(data_dir, "toy", anew)
    assert labels() == anew["train"]


def test_data_that_changes_while_it_is_fitted_is_not_cached(
    tmp_path, write_tfds, cache
):
    data_dir = str(tmp_path)
    write_tfds(data_dir, "toy", SPLITS)
    fit = Fit(datasets.get("toy", data_dir), (8, 8, 3), data_dir=data_dir)

    def track(rows, description, total):
        yield from rows
        write_tfds(data_dir, "toy", SPLITS, colour=1)

    with pytest.raises(UsageError, match="toy has changed while it was read"):
        prepared.load(fit, track)
    assert [path for path in cache.iterdir() if path.name != ".identities"] == []
