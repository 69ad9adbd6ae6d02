"""What the builders of image data sets share: how a release is found and read."""

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
    """Describes a data set of colour images of any size and one label each."""
    return tfds.core.DatasetInfo(
        builder=builder,
        features=tfds.features.FeaturesDict(
            {"image": tfds.features.Image(shape=(None, None, 3)), "label": label}
        ),
        supervised_keys=("image", "label"),
        **kwargs,
    )


def release(dl_manager, *names: str, homepage: str) -> pathlib.Path:
    """Finds a release that can't be downloaded in the folder for such.

    Args:
        dl_manager: The download manager of TFDS.
        *names: The names that the folder or archive may have, without a suffix.
        homepage: Where it is to be had.

    Returns:
        The folder with the release's own files, past those that contain nothing but
        another folder. An archive is unpacked once, beside the downloads of TFDS.

    Raises:
        UsageError: If there is no such folder or archive, or it can't be unpacked.
    """
    wanted = (
        f"expected a folder or an archive ({', '.join(_ARCHIVES)}) named "
        f"{' or '.join(names)}, from {homepage}"
    )
    try:
        folder = pathlib.Path(dl_manager.manual_dir)
    except AssertionError as error:  # TFDS's own, of several lines
        where = str(error).partition(". Create it")[0]
        raise UsageError(f"{where}: {wanted}") from None
    for name in names:
        if (folder / name).is_dir():
            return _unwrap(folder / name)
        for archive in (folder / f"{name}{suffix}" for suffix in _ARCHIVES):
            if archive.exists():
                try:
                    return _unwrap(pathlib.Path(dl_manager.extract(archive)))
                except ExtractError as error:
                    why = str(error.__cause__).splitlines()[0].rstrip(":")
                    raise UsageError(
                        f"{archive} can't be unpacked, get it again: {why}"
                    ) from error
    raise UsageError(f"{wanted}, in {folder}; found {listing(folder)}")


def _unwrap(folder: pathlib.Path) -> pathlib.Path:
    while len(entries := _entries(folder)) == 1 and entries[0].is_dir():
        folder = entries[0]
    return folder


def _entries(folder: pathlib.Path) -> list[pathlib.Path]:
    """What is in a folder, but for what operating systems add."""
    return sorted(p for p in folder.iterdir() if not p.name.startswith((".", "__")))


def folders(folder: pathlib.Path) -> list[pathlib.Path]:
    """The folders in a folder, by name."""
    return [entry for entry in _entries(folder) if entry.is_dir()]


def listing(folder: pathlib.Path, most: int = 5) -> str:
    """The names in a folder as a message shows them."""
    names = [entry.name for entry in _entries(folder)]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(names[:most]) or 'nothing'}{more}"


def labelled(
    folder: pathlib.Path, nested: bool = False
) -> list[tuple[pathlib.Path, str]]:
    """The images in the class folders of a folder, each with the name of its class.

    Args:
        folder: Where the class folders are.
        nested: Whether images in folders inside the class folders count too.

    Raises:
        UsageError: If there are no images.
    """
    pairs = [
        (path, group.name)
        for group in folders(folder)
        for path in sorted(group.rglob("*") if nested else group.iterdir())
        if path.suffix.lower() in _IMAGES
    ]
    if not pairs:
        raise UsageError(
            f"expected folders of images, a class each, in {folder}; "
            f"found {listing(folder)}"
        )
    return pairs


def examples(
    root: pathlib.Path, pairs: Iterable[tuple[pathlib.Path, Any]]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields what `_generate_examples` has to, for pairs of a file and its label."""
    for path, label in pairs:
        key = path.relative_to(root).as_posix()
        yield key, {"image": readable(path), "label": label}


def readable(path: pathlib.Path) -> bytes | Image.Image:
    """Reads an image such that TFDS can decode it later, when nobody knows its name.

    Returns:
        The bytes of the file if TensorFlow decodes them. If it doesn't, for example
        because the file is a GIF under another name (TFDS takes no animations) or was
        cut short, what Pillow makes of it, in RGB, which TFDS stores without loss.

    Raises:
        UsageError: If the file is missing or neither of them can decode it.
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
    present = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        image = Image.open(io.BytesIO(content)).convert("RGB")
    except Exception as error:  # Pillow's formats raise what they like
        raise UsageError(
            f"the image {path} can't be decoded, get it again: {error}"
        ) from error
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = present
    logging.warning("%s is not plainly decodable and is stored as a PNG", path)
    return image
