"""Finding and reading a release of images, shared by the builders."""

import io
import pathlib
from collections.abc import Iterable, Iterator
from typing import Any

import tensorflow as tf
import tensorflow_datasets as tfds
from absl import logging
from PIL import Image, ImageFile
from tensorflow_datasets.core.download.extractor import ExtractError

from keras_asymbp.benchmarks.errors import UsageError

_ARCHIVES = (".tar", ".tar.gz", ".tgz", ".zip")
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


def find_release(dl_manager, *names: str, homepage: str) -> pathlib.Path:
    """Finds a release that the user has downloaded by hand.

    An archive is unpacked once, beside the downloads of TFDS.

    Args:
        dl_manager: The download manager of TFDS.
        *names: Possible names of the folder or archive, without a suffix.
        homepage: Where the user can get it.

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
    try:
        folder = pathlib.Path(dl_manager.manual_dir)
    except AssertionError as error:  # TFDS's, several lines long
        reason = str(error).partition(". Create it")[0]
        raise UsageError(f"{reason}: {wanted}") from None
    for name in names:
        if (folder / name).is_dir():
            return _unwrap(folder / name)
        for archive in (folder / f"{name}{suffix}" for suffix in _ARCHIVES):
            if archive.exists():
                try:
                    return _unwrap(pathlib.Path(dl_manager.extract(archive)))
                except ExtractError as error:
                    reason = str(error.__cause__).splitlines()[0].rstrip(":")
                    raise UsageError(
                        f"{archive} can't be unpacked, get it again: {reason}"
                    ) from error
    raise UsageError(f"{wanted}, in {folder}; found {listing(folder)}")


def _unwrap(folder: pathlib.Path) -> pathlib.Path:
    while len(entries := _entries(folder)) == 1 and entries[0].is_dir():
        folder = entries[0]
    return folder


def _entries(folder: pathlib.Path) -> list[pathlib.Path]:
    """The entries of a folder, without those added by operating systems."""
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
        (path, group.name)
        for group in subfolders(folder)
        for path in sorted(group.rglob("*") if nested else group.iterdir())
        if path.suffix.lower() in _IMAGES
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
        key = path.relative_to(root).as_posix()
        yield key, {"image": read_image(path), "label": label}


def read_image(path: pathlib.Path) -> bytes | Image.Image:
    """Reads an image in a form that TFDS can store and decode.

    Returns:
        The bytes of the file if TensorFlow can decode them. If not, for example if the
        file is a GIF under another name (TFDS takes no animations) or truncated, the
        image that Pillow decodes, in RGB, which TFDS stores without loss.

    Raises:
        UsageError: If the file is missing, or neither can decode it.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"expected the image {path}: {error.strerror}") from error
    try:
        if tf.io.decode_image(content, channels=3).ndim == 3:
            return content
    except tf.errors.InvalidArgumentError:
        pass
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        image = Image.open(io.BytesIO(content)).convert("RGB")
    except Exception as error:  # Pillow's decoders raise errors of many types
        raise UsageError(
            f"the image {path} can't be decoded, get it again: {error}"
        ) from error
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before
    logging.warning("TensorFlow can't decode %s: it is stored as a PNG", path)
    return image
