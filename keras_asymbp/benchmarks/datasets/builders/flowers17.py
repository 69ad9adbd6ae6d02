"""Flowers17 (Nilsback and Zisserman, 2006): 17 classes of flowers, 80 images of each.

The images are numbered 1 to 1,360, class by class, so the label of number n is
(n - 1) // 80. The release does not name the classes in that order, and public lists
disagree, so the classes have no names here. The split is the first of the three random
splits in `datasplits.mat`: 40 images per class in "train", 20 in "validation", 20 in
"test". (The errors in the paper's tables are multiples of 1/340: 17 x 20 images.)

TFDS needs SHA-256 sums, which are not publicly known. The MD5 sums are
b59a65d8d1a99cd66944d474e1289eab (17flowers.tgz) and 4828cddfd0d803c5abbdebcb1e148a1e
(datasplits.mat).
"""

import tensorflow_datasets as tfds

from keras_asymbp.benchmarks.datasets import foreign
from keras_asymbp.benchmarks.datasets.builders import _folders

_HOMEPAGE = "https://www.robots.ox.ac.uk/~vgg/data/flowers/17/"
_CITATION = """\
@inproceedings{nilsback2006visual,
  author = {Nilsback, Maria-Elena and Zisserman, Andrew},
  title = {A Visual Vocabulary for Flower Classification},
  booktitle = {IEEE Conference on Computer Vision and Pattern Recognition},
  volume = {2},
  pages = {1447--1454},
  year = {2006}
}"""

_FILES = {
    "images": f"{_HOMEPAGE}17flowers.tgz",
    "splits": f"{_HOMEPAGE}datasplits.mat",
}


class Flowers17(tfds.core.GeneratorBasedBuilder):
    """The data set, downloaded from the Visual Geometry Group, Oxford."""

    VERSION = tfds.core.Version("1.0.0")
    MANUAL_DOWNLOAD_INSTRUCTIONS = f"""\
Put 17flowers.tgz and datasplits.mat, from {_HOMEPAGE}, here, if the server can't be
reached."""

    def _info(self):
        return _folders.info(
            self,
            label=tfds.features.ClassLabel(num_classes=17),
            description=__doc__,
            homepage=_HOMEPAGE,
            citation=_CITATION,
        )

    def _split_generators(self, dl_manager):
        files = _folders.fetch(dl_manager, _FILES)
        numbers = _numbers(files["splits"])
        images = _folders.inside(files["images"], "jpg")
        return {
            split: self._generate_examples(images, numbers[variable])
            for split, variable in _VARIABLES.items()
        }

    def _generate_examples(self, root, numbers):
        return _folders.examples(
            root, ((root / f"image_{n:04d}.jpg", (n - 1) // 80) for n in numbers)
        )


_VARIABLES = {"train": "trn1", "validation": "val1", "test": "tst1"}


def _numbers(path) -> dict[str, list[int]]:
    """The numbers of the images in each part of the first split."""
    import scipy.io

    step = f"delete it, and get datasplits.mat from {_HOMEPAGE} again"
    with foreign.opened(path, step) as file:
        splits = scipy.io.loadmat(file)
        return {
            name: [int(number) for number in splits[name].ravel()]
            for name in _VARIABLES.values()
        }
