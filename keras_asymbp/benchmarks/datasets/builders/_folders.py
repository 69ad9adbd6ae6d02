"""Finding and reading a release of images, shared by the builders."""

import io
import os
import pathlib
import shutil
from collections.abc import Iterable, Iterator
from typing import Any

import tensorflow as tf
import tensorflow_datasets as tfds
from absl import logging
from etils import epath
from PIL import Image, ImageFile
from tensorflow_datasets.core.download.extractor import ExtractError

from keras_asymbp.benchmarks.datasets import foreign
from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.escaping.printable import printable

_ARCHIVES = (".tar", ".tar.gz", ".tgz", ".zip")
# Pillow's others are left out: some start programs.
_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF")
_IMAGES = (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff")


def info(builder, label, **kwargs) -> tfds.core.DatasetInfo:
    """The description of a data set of colour images of any size, with a label each."""
    return tfds.core.DatasetInfo(
        builder=builder,
        features=tfds.features.FeaturesDict(
            {"image": tfds.features.Image(shape=(None, None, 3)), "label": label}
        ),
        supervised_keys=("image", "label"),
        **kwargs,
    )


def find_release(
    dl_manager, *names: str, homepage: str, mistaken: tuple[str, ...] = ()
) -> pathlib.Path:
    """Finds a release that the user has downloaded by hand.

    An archive is unpacked once, beside the downloads of TFDS.

    Args:
        dl_manager: The download manager of TFDS.
        *names: Possible names of the folder or archive, without a suffix.
        homepage: Where the user can get it.
        mistaken: Other names that it may have, or another release; not asked for.

    Returns:
        The folder with the files of the release: outer folders that contain only
        another folder are skipped.

    Raises:
        UsageError: If there is no such folder or archive, or it can't be unpacked.
    """
    wanted = (
        f"expected a folder or an archive ({', '.join(_ARCHIVES)}) named "
        f"{' or '.join(names)}, from {homepage}"
    )
    for name in (*names, *mistaken):
        found = _at_hand(dl_manager, name)
        if found:
            return unwrap(found)
    try:
        folder = pathlib.Path(dl_manager.manual_dir)
    except (AssertionError, OSError) as error:  # TFDS's, several lines long
        reason = foreign.reason(error).partition(". Create it")[0]
        raise UsageError(f"{reason}: {wanted}") from None
    raise UsageError(f"{wanted}, in {folder}; found {listing(folder)}")


def fetch(dl_manager, urls: dict[str, str]) -> dict[str, pathlib.Path]:
    """The files at some addresses, archives unpacked: at hand, or else downloaded.

    A file is at hand if it, or what is in the archive, is in the folder of manual
    downloads under its own name.

    Raises:
        UsageError: If an archive can't be unpacked.
    """
    found = {}
    for key, url in urls.items():
        name = url.rpartition("/")[2]
        suffix = next((end for end in _ARCHIVES if name.endswith(end)), "")
        path = _at_hand(dl_manager, name.removesuffix(suffix), bool(suffix))
        if path:
            found[key] = path
    missing = {key: url for key, url in urls.items() if key not in found}
    if missing:
        downloaded = dl_manager.download_and_extract(missing)
        found |= {key: pathlib.Path(path) for key, path in downloaded.items()}
    return found


def _at_hand(dl_manager, name, is_archive=True) -> pathlib.Path | None:
    """A file, or the folder or unpacked archive of that name, downloaded by hand."""
    try:
        folder = pathlib.Path(dl_manager.manual_dir)
    except (AssertionError, OSError):  # it is missing or empty
        return None
    path = folder / name
    if not is_archive:
        return path if os.path.lexists(path) else None
    if path.is_dir():
        return path
    for archive in (folder / f"{name}{suffix}" for suffix in _ARCHIVES):
        if os.path.lexists(archive):
            return _unpacked(dl_manager, archive)
    return None


def _unpacked(dl_manager, archive):
    replaced = foreign.check_regular(archive).st_ctime
    try:
        folder = pathlib.Path(dl_manager.extract(archive))
        if folder.stat().st_ctime < replaced:  # unpacked from an earlier file
            shutil.rmtree(folder)
            again = tfds.download.Resource(path=epath.Path(archive))
            folder = pathlib.Path(dl_manager.extract(again))
    except ExtractError as error:
        reason = foreign.reason(error.__cause__ or error)
        raise foreign.unreadable(archive, reason) from error
    return folder


def inside(folder: pathlib.Path, name: str) -> pathlib.Path:
    """The folder of that name in a folder; without one, as `unwrap`."""
    return folder / name if (folder / name).is_dir() else unwrap(folder)


def unwrap(folder: pathlib.Path) -> pathlib.Path:
    """The folder, without outer ones that contain only another folder."""
    while len(entries := _entries(folder)) == 1 and entries[0].is_dir():
        folder = entries[0]
    return folder


def _entries(folder: pathlib.Path) -> list[pathlib.Path]:
    """The entries of a folder, without those added by operating systems."""
    with foreign.guarded(folder):
        return sorted(p for p in folder.iterdir() if not p.name.startswith((".", "__")))


def subfolders(folder: pathlib.Path) -> list[pathlib.Path]:
    """The folders in a folder, sorted by name."""
    return [entry for entry in _entries(folder) if entry.is_dir()]


def listing(folder: pathlib.Path, most: int = 5) -> str:
    """The names of the first entries of a folder, for a message."""
    names = [entry.name for entry in _entries(folder)]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(names[:most]) or 'nothing'}{more}"


def labelled_images(
    folder: pathlib.Path, nested: bool = False
) -> list[tuple[pathlib.Path, str]]:
    """The images in class folders, each with the name of its class.

    Args:
        folder: The folder of the class folders.
        nested: Whether to include images in folders inside the class folders.

    Raises:
        UsageError: If there are no images.
    """
    pairs = [
        (path, foreign.text_of(group.name))
        for group in subfolders(folder)
        for path in foreign.files(group)
        if path.suffix.lower() in _IMAGES and (nested or path.parent == group)
    ]
    if not pairs:
        raise UsageError(
            f"expected folders of images, one per class, in {folder}; "
            f"found {listing(folder)}"
        )
    return pairs


def examples(
    root: pathlib.Path, pairs: Iterable[tuple[pathlib.Path, Any]]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields the examples of `_generate_examples` from pairs of a file and a label."""
    for path, label in pairs:
        key = printable(path.relative_to(root).as_posix())
        yield key, {"image": read_image(path), "label": label}


def _decodes(content):
    try:
        return tf.io.decode_image(content, channels=3).ndim == 3
    except tf.errors.OpError:
        return False


def read_image(path: pathlib.Path) -> bytes | Image.Image:
    """Reads an image in a form that TFDS can store and decode.

    Returns:
        The bytes of the file if TensorFlow can decode them. If not, for example if the
        file is a GIF under another name (TFDS takes no animations) or truncated, the
        image that Pillow decodes, in RGB, which TFDS stores without loss.

    Raises:
        UsageError: If the file is missing, or neither can decode it.
    """
    content = foreign.read_bytes(path)
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    with foreign.guarded(path):
        # Pillow knows the format and the size without decoding anything, and refuses
        # what would fill the memory; TensorFlow would try.
        image = Image.open(io.BytesIO(content), formats=_FORMATS)
        if image.format != "GIF" and _decodes(content):
            return content
        try:
            ImageFile.LOAD_TRUNCATED_IMAGES = True
            pixels = image.convert("RGB")
        finally:
            ImageFile.LOAD_TRUNCATED_IMAGES = before
    logging.warning("TensorFlow can't decode %s: it is stored as a PNG", path)
    return pixels
