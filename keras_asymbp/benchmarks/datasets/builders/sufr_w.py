"""SUFR-W (Leibo, Liao and Poggio, 2014): 13,661 images of 400 people.

The official splits are pairs of images for verification, another task. Here everything
is in "train", and the label is the person's name. The paper draws 80 people, 10 + 5
images each.

In the release (SUFR, version 1.3) the images are numbered files, `1.jpg` and so on, in
a folder `SUFR_in_the_wild`. Line n of `SUFR_in_the_wild_info.txt` names the person in
image n, after a number and a `#`. This layout is that of its README and of public code;
it has not been tried on the release itself. Without the list, the images may be in
folders, one for each person.
"""

import re

import tensorflow_datasets as tfds

from keras_asymbp.benchmarks.datasets import foreign
from keras_asymbp.benchmarks.datasets.builders import _folders
from keras_asymbp.benchmarks.errors import UsageError

_HOMEPAGE = "http://klab.tch.harvard.edu/cbmm/other/SUFR_README.txt"
_CITATION = """\
@inproceedings{leibo2014subtasks,
  author = {Leibo, Joel Z. and Liao, Qianli and Poggio, Tomaso},
  title = {Subtasks of Unconstrained Face Recognition},
  booktitle = {International Conference on Computer Vision Theory and Applications},
  year = {2014}
}"""
_IMAGES = "SUFR_in_the_wild"
_LIST = "SUFR_in_the_wild_info.txt"


class SufrW(tfds.core.GeneratorBasedBuilder):
    """The images of a release downloaded by the user."""

    VERSION = tfds.core.Version("1.0.0")
    MANUAL_DOWNLOAD_INSTRUCTIONS = f"""\
Put a folder or an archive named sufr_w here that contains, at any depth, the folder
{_IMAGES} with the images and the file {_LIST}, both parts of SUFR version 1.3, from the
authors: see {_HOMEPAGE}. Its checksum is not publicly known."""

    def _info(self):
        return _folders.info(
            self,
            label=tfds.features.Text(),
            description=__doc__,
            homepage=_HOMEPAGE,
            citation=_CITATION,
        )

    def _split_generators(self, dl_manager):
        root = _folders.find_release(dl_manager, "sufr_w", homepage=_HOMEPAGE)
        return {"train": self._generate_examples(root)}

    def _generate_examples(self, root):
        lists = [file for file in foreign.files(root) if file.name == _LIST]
        pairs = _listed(root, lists[0]) if lists else _folders.labelled_images(root)
        return _folders.examples(root, pairs)


def _listed(root, path) -> list:
    """The images and names in the official list, in its order."""
    images = {
        int(image.stem): image
        for image in foreign.files(root)
        if image.suffix == ".jpg"
        and image.parent.name == _IMAGES
        and image.stem.isdecimal()
    }
    pairs = []
    for number, line in enumerate(foreign.read_text(path).splitlines(), 1):
        name = re.fullmatch(r"\s*\d+\s*#\s*(\S.*?)\s*", line)
        if not name:
            raise UsageError(
                f"expected a number, # and a name in line {number} of {path}, found "
                f"'{line[:60]}'"
            )
        if number not in images:
            raise UsageError(
                f"expected the image {number}.jpg of {path} in a folder {_IMAGES} "
                f"under {root}, which has {len(images)} numbered images"
            )
        pairs.append((images[number], name[1]))
    return pairs
