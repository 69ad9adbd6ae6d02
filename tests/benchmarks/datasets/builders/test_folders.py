import shutil
import tarfile
import zipfile

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from PIL import Image, ImageFile

from keras_asymbp.benchmarks.datasets.builders import _folders
from keras_asymbp.benchmarks.errors import UsageError


@pytest.fixture
def people(tmp_path, image):
    """A release named `people`: a folder in a folder, with images of two people."""
    for file in ("Ada Lovelace/1.jpg", "Ada Lovelace/2.JPG", "Émilie/1.png"):
        target = tmp_path / "release" / "people" / "v1" / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(image())
    # Files that operating systems add.
    (tmp_path / "release" / "people" / ".DS_Store").touch()
    (tmp_path / "release" / "people" / "__MACOSX").mkdir()
    return tmp_path / "release" / "people"


def pack(folder, archive):
    """Moves a folder into an archive, whose suffix gives the format."""
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive, "w") as file:
            for path in folder.rglob("*"):
                file.write(path, path.relative_to(folder.parent))
    else:
        with tarfile.open(archive, "w" if archive.suffix == ".tar" else "w:gz") as file:
            file.add(folder, folder.name)
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    "archive", [None, "people.tar", "people.tar.gz", "people.tgz", "people.zip"]
)
def test_a_folder_and_any_archive_are_the_same_release(
    archive, people, download_manager
):
    manual_dir = people.parent
    if archive:
        pack(people, manual_dir / archive)
    root = _folders.find_release(
        download_manager(manual_dir), "humans", "people", homepage="https://x.org"
    )
    pairs = _folders.labelled_images(root)
    assert [(str(path.relative_to(root)), label) for path, label in pairs] == [
        ("Ada Lovelace/1.jpg", "Ada Lovelace"),
        ("Ada Lovelace/2.JPG", "Ada Lovelace"),
        ("Émilie/1.png", "Émilie"),
    ]


def test_the_first_existing_name_counts(people, download_manager):
    shutil.copytree(people / "v1" / "Émilie", people.parent / "humans" / "Émilie")
    manager = download_manager(people.parent)
    root = _folders.find_release(manager, "humans", "people", homepage="")
    assert root.name == "Émilie"  # the only folder, with images in it
    root = _folders.find_release(manager, "people", "humans", homepage="")
    assert root.name == "v1"


@pytest.mark.parametrize("state", ["no folder", "empty", "something else"])
def test_a_missing_release(state, tmp_path, download_manager):
    manual_dir = tmp_path / "manual"
    if state != "no folder":
        manual_dir.mkdir()
    if state == "something else":
        (manual_dir / "people.rar").touch()
    with pytest.raises(UsageError) as error:
        _folders.find_release(
            download_manager(manual_dir),
            "people",
            "people.v1",
            homepage="https://x.org",
        )
    message = str(error.value)
    assert "\n" not in message
    assert str(manual_dir) in message
    assert "named people or people.v1, from https://x.org" in message
    assert ("; found people.rar" in message) == (state == "something else")


@pytest.mark.parametrize("name", ["people.zip", "people.tar", "people.tar.gz"])
def test_a_damaged_archive_is_named(name, tmp_path, download_manager):
    (tmp_path / name).write_bytes(b"<html>sign in first</html>")
    with pytest.raises(
        UsageError, match=rf"can't read .*{name} \(.*\): get it"
    ) as error:
        _folders.find_release(download_manager(tmp_path), "people", homepage="")
    assert "\n" not in str(error.value)


def test_only_images_in_class_folders_are_labelled(people):
    root = people / "v1"
    (root / "README.txt").touch()
    (root / "stray.jpg").touch()
    (root / "Émilie" / "Thumbs.db").touch()
    (root / "Émilie" / "more").mkdir()
    (root / "Émilie" / "more" / "2.jpg").touch()

    def found(**options):
        return [
            (p.name, label) for p, label in _folders.labelled_images(root, **options)
        ]

    direct = [("1.jpg", "Ada Lovelace"), ("2.JPG", "Ada Lovelace"), ("1.png", "Émilie")]
    assert found() == direct
    assert found(nested=True) == [*direct, ("2.jpg", "Émilie")]


def test_no_images(path, tmp_path):
    for name in "abcdefg":
        (tmp_path / name).mkdir()
    with pytest.raises(UsageError, match="found a, b, c, d, e and 2 more") as error:
        _folders.labelled_images(path(tmp_path))
    assert str(tmp_path) in str(error.value)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "BMP"])
def test_files_that_tensorflow_decodes_are_unchanged(format, image, path, tmp_path):
    content = image(format)
    (tmp_path / "a.jpg").write_bytes(content)
    assert _folders.read_image(path(tmp_path / "a.jpg")) == content


@pytest.mark.parametrize(
    ("format", "mode"), [("GIF", "P"), ("TIFF", "RGB"), ("PPM", "L"), ("PNG", "L")]
)
def test_other_formats_keep_their_pixels(format, mode, image, path, tmp_path):
    (tmp_path / "a.jpg").write_bytes(image(format, mode))
    feature = tfds.features.Image(shape=(None, None, 3))
    stored = feature.encode_example(_folders.read_image(path(tmp_path / "a.jpg")))
    expected = np.asarray(Image.open(tmp_path / "a.jpg").convert("RGB"))
    np.testing.assert_array_equal(feature.decode_example(stored), expected)


def test_a_truncated_jpeg_keeps_its_readable_part(image, path, tmp_path):
    content = image("JPEG", size=(64, 64))
    (tmp_path / "a.jpg").write_bytes(content[: len(content) // 2])
    with pytest.raises(tf.errors.InvalidArgumentError):
        tf.io.decode_image((tmp_path / "a.jpg").read_bytes())
    truncated = np.asarray(_folders.read_image(path(tmp_path / "a.jpg")))
    whole = np.asarray(tf.io.decode_image(content), int)
    assert truncated.shape == (64, 64, 3)
    assert abs(truncated[:16] - whole[:16]).mean() < 5
    assert abs(truncated[-8:] - whole[-8:]).mean() > 20
    assert not ImageFile.LOAD_TRUNCATED_IMAGES


def test_an_image_stored_as_png_is_logged(image, path, tmp_path, caplog):
    (tmp_path / "a.jpg").write_bytes(image("TIFF", "RGB"))
    with caplog.at_level("WARNING", logger="absl"):
        _folders.read_image(path(tmp_path / "a.jpg"))
    (record,) = caplog.records
    assert record.getMessage().startswith("TensorFlow can't decode")
    assert record.getMessage().endswith("a.jpg: it is stored as a PNG")


@pytest.mark.parametrize("content", [b"", b"no image", b"\xff\xd8\xff\xe0\x00\x10JFIF"])
def test_an_undecodable_image_is_named(content, path, tmp_path):
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(UsageError, match=rf"^can't read {tmp_path}/a.jpg \(\w+"):
        _folders.read_image(path(tmp_path / "a.jpg"))


def test_a_missing_image_is_named(path, tmp_path):
    with pytest.raises(UsageError, match=rf"^can't read {tmp_path}/a.jpg \(No"):
        _folders.read_image(path(tmp_path / "a.jpg"))
