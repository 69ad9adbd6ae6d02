import io
import os
import shutil

import numpy as np
import pytest
from PIL import Image

from keras_asymbp.benchmarks.datasets.image_folder import ImageFolder
from keras_asymbp.benchmarks.errors import UsageError


def encode(colour, suffix=".png", size=(4, 3), channels=3):
    """An image of one colour as the content of a file."""
    pixels = np.full((*size, channels), colour, np.uint8)
    image = Image.fromarray(pixels[..., 0] if channels == 1 else pixels)
    content = io.BytesIO()
    image.save(content, {".png": "PNG", ".jpg": "JPEG"}[suffix])
    return content.getvalue()


@pytest.fixture
def fill(tmp_path):
    """Writes `counts` images into class folders; an image's colour is its number."""

    def fill(root="", **counts):
        for name, count in counts.items():
            folder = tmp_path / "pets" / root / name
            folder.mkdir(parents=True)
            for number in range(count):
                (folder / f"{number}.png").write_bytes(encode(number))
        return tmp_path / "pets"

    return fill


def read(source, split):
    labels = source.labels(None)[split == "test"]
    images = list(source.inputs(split, None))
    assert all(image.shape == (1, 4, 3, 3) for image in images)
    return [
        (image[0, 0, 0, 0], label) for image, label in zip(images, labels, strict=True)
    ]


def test_a_folder_with_splits(fill):
    fill("train", dog=3, cat=2)
    source = ImageFolder(fill("test", cat=1, dog=1))
    assert source.classes() == ["cat", "dog"]
    assert read(source, "train") == [(0, 0), (1, 0), (0, 1), (1, 1), (2, 1)]
    assert read(source, "test") == [(0, 0), (0, 1)]


def test_a_fifth_of_each_class_is_held_out(fill):
    source = ImageFolder(fill(dog=10, cat=5, bird=2))
    splits = {split: read(source, split) for split in ("train", "test")}
    counts = {s: np.bincount([label for _, label in e]) for s, e in splits.items()}
    assert counts["train"].tolist() == [1, 4, 8]
    assert counts["test"].tolist() == [1, 1, 2]
    assert len(set(splits["train"]) | set(splits["test"])) == 17
    assert {split: read(source, split) for split in splits} == splits


def test_file_types_and_hidden_folders(fill):
    path = fill(dog=2, cat=2)
    (path / "cat" / "deep").mkdir()
    (path / "cat" / "deep" / "x.JPG").write_bytes(encode(7, ".jpg", channels=1))
    (path / "cat" / "notes.txt").write_text("no image")
    (path / ".hidden").mkdir()
    (path / ".hidden" / "x.png").write_bytes(encode(8))
    (path / "empty").mkdir()
    source = ImageFolder(path)
    assert source.classes() == ["cat", "dog"]
    everything = read(source, "train") + read(source, "test")
    assert len(everything) == 5
    assert (7, 0) in everything


def test_the_version_follows_names_and_contents(fill):
    path = fill(dog=2, cat=2)
    version = ImageFolder(path).version(None)
    assert version.startswith("sha256-")
    copy = shutil.copytree(path, path.with_name("copy"))
    assert ImageFolder(copy).version(None) == version
    (copy / "cat" / "0.png").write_bytes(encode(99))
    assert ImageFolder(copy).version(None) != version
    (path / "cat" / "0.png").rename(path / "cat" / "2.png")
    assert ImageFolder(path).version(None) != version


@pytest.mark.parametrize(
    ("folders", "words"),
    [
        ({"": {"dog": 3}}, "has 1 folder.*two or more"),
        ({"": {"dog": 3, "cat": 1}}, "cat has one image"),
        (
            {"train": {"dog": 1, "cat": 1}, "test": {"cow": 1}},
            "cow has images of a class",
        ),
        ({"train": {"dog": 1, "cat": 1}, "test": {}}, "train has .* no folder 'test'"),
        ({"train": {"dog": 1, "cat": 1}, "valid": {"dog": 1}}, "no folder 'test'"),
        (
            {"train": {"dog": 1, "cat": 1}, "test": {"dog": 1}, "valid": {"dog": 1}},
            "valid has images that are neither in",
        ),
    ],
)
def test_an_unusable_folder(folders, words, fill, tmp_path):
    for root, counts in folders.items():
        (tmp_path / "pets" / root).mkdir(parents=True, exist_ok=True)
        fill(root, **counts)
    with pytest.raises(UsageError, match=words):
        ImageFolder(tmp_path / "pets").labels(None)


@pytest.mark.parametrize("root", ["", "train"])
def test_an_image_beside_the_class_folders(root, fill):
    fill("train", dog=2, cat=2)
    path = fill("test", dog=1)
    (path / root / "x.png").write_bytes(encode(1))
    with pytest.raises(UsageError, match=f"{path / root}/x.png is in no class folder"):
        ImageFolder(path).labels(None)


def test_splits_in_capitals(fill):
    fill("Train", dog=2, cat=2)
    source = ImageFolder(fill("TEST", cat=1))
    assert source.classes() == ["cat", "dog"]
    assert len(read(source, "test")) == 1


def test_classes_named_train_and_test(fill):
    assert ImageFolder(fill(train=5, test=5, bus=5)).classes() == [
        "bus",
        "test",
        "train",
    ]


@pytest.mark.parametrize("kind", ["pipe", "dangling link", "circular link"])
def test_an_image_that_is_no_file(kind, fill):
    path = fill(dog=2, cat=2)
    image = path / "cat" / "x.png"
    if kind == "pipe":
        os.mkfifo(image)
    else:
        image.symlink_to("gone" if kind == "dangling link" else "x.png")
    source = ImageFolder(path)
    words = rf"^can't read {image} \(.+\): repair it"
    with pytest.raises(UsageError, match=words):
        source.version(None)
    with pytest.raises(UsageError, match=words):
        read(source, "train") + read(source, "test")


def test_folders_and_names_of_any_kind(fill):
    """A folder named like an image, and names that are not UTF-8."""
    path = fill(dog=2)
    (path / "dog" / "9.png").mkdir()
    (path / "dog" / "9.png" / "1.png").write_bytes(encode(5))
    folder = path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    for number in range(3):
        (folder / os.fsdecode(b"%d\xff.png" % number)).write_bytes(encode(number))
    source = ImageFolder(path)
    assert source.version(None).startswith("sha256-")
    assert len(read(source, "train") + read(source, "test")) == 6
    (folder / os.fsdecode(b"0\xff.png")).write_bytes(b"")
    with pytest.raises(UsageError, match=r"caf\\udce9/0\\udcff.png can't be decoded"):
        read(source, "train") + read(source, "test")


def test_a_class_folder_that_is_a_dangling_link(fill):
    path = fill(dog=2, cat=2)
    (path / "cow").symlink_to("gone")
    with pytest.raises(UsageError, match=r"cow \(it is a link to gone, which"):
        ImageFolder(path).labels(None)


def test_an_undecodable_file_is_named(fill):
    path = fill(dog=2, cat=2)
    for file in (path / "cat").iterdir():
        file.write_bytes(b"\x89PNG, but no more")
    with pytest.raises(UsageError, match=r"cat/\d.png can't be decoded as an image"):
        list(ImageFolder(path).inputs("train", None))
