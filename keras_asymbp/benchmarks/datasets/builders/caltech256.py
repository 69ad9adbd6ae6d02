"""Caltech-256 (Griffin, Holub and Perona, 2007): 30,607 images in 257 classes.

The classes are the folders `001.ak47` to `257.clutter`; the label of a class is its
number minus 1. The last, `clutter`, is a class like the others here. There is no
official split: everything is in "train". Only images directly in a class folder count;
this leaves out the two strays of the release, `198.spider/RENAME2` and the folder
`056.dog/greg`.

The archive's checksum is not registered with TFDS. torchvision lists an archive of the
same name, from another address, with the SHA-256 08ff01b03c65566014ae88eb0490dbe4
419fc7ac4de726ee1163e39fd809543e (MD5 67b4f42ca05d46448c6bb8ecd2220f6d).
"""

import re

import tensorflow_datasets as tfds

from keras_asymbp.benchmarks.datasets.builders import _folders
from keras_asymbp.benchmarks.errors import UsageError

_HOMEPAGE = "https://data.caltech.edu/records/nyy15-4j048"
_CITATION = """\
@misc{griffin2022caltech256,
  author = {Griffin, Gregory and Holub, Alex and Perona, Pietro},
  title = {Caltech 256},
  publisher = {CaltechDATA},
  year = {2022},
  doi = {10.22002/D1.20087}
}"""

_ARCHIVE = f"{_HOMEPAGE}/files/256_ObjectCategories.tar"


class Caltech256(tfds.core.GeneratorBasedBuilder):
    """The whole archive, downloaded from CaltechDATA (CC BY 4.0)."""

    VERSION = tfds.core.Version("1.0.0")
    MANUAL_DOWNLOAD_INSTRUCTIONS = f"""\
Put 256_ObjectCategories.tar, from {_HOMEPAGE},
or its folder here, if the server can't be reached."""

    def _info(self):
        return _folders.info(
            self,
            label=tfds.features.ClassLabel(num_classes=257),
            description=__doc__,
            homepage=_HOMEPAGE,
            citation=_CITATION,
        )

    def _split_generators(self, dl_manager):
        files = _folders.fetch(dl_manager, {"images": _ARCHIVE})
        root = _folders.inside(files["images"], "256_ObjectCategories")
        return {"train": self._generate_examples(root)}

    def _generate_examples(self, root):
        pairs = _folders.labelled_images(root)
        return _folders.examples(root, ((path, _label(name)) for path, name in pairs))


def _label(name: str) -> int:
    """The label of a class folder: 0 for `001.ak47`."""
    number = re.match(r"(\d{3})\.", name)
    if not number or not 1 <= int(number[1]) <= 257:
        raise UsageError(f"expected a class folder such as 001.ak47, found {name}")
    return int(number[1]) - 1
