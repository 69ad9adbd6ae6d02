"""iCubWorld 1.0 (Fanello et al., 2013): 40 objects in 10 categories, seen by a robot.

The homepage and public code say: four objects per category and about 200 images per
object; three objects of each category for training; four test sets, named background,
categorization, demonstrator and robot.

Our reading: the paper's "standard categorization protocol" trains on all of "train",
about 6,000 images, and tests on the test set `categorization`, the fourth object of
each category, about 2,000 images. The paper's errors are multiples of 1/2001, as are
published accuracies on this test set. The other three test sets are not included.

The folder layout of the release is known from public code only. Accepted are
`train/<category>` and either `test/categorization/<category>` or `test/<category>`,
with the images there or in further folders. A label is the name of a category's folder.

The names of the archives mislead: the homepage publishes iCubWorld 1.0 as
`iCubWorld.zip`, and `iCubWorld1.0.zip` is Hello iCubWorld, a release of seven objects
with the folders `human` and `robot`. That one is refused.
"""

import tensorflow_datasets as tfds

from keras_asymbp.benchmarks.datasets.builders import _folders
from keras_asymbp.benchmarks.errors import UsageError

_HOMEPAGE = "https://robotology.github.io/iCubWorld/"
_CITATION = """\
@inproceedings{fanello2013icub,
  author = {Fanello, Sean Ryan and Ciliberto, Carlo and Santoro, Matteo and
            Natale, Lorenzo and Metta, Giorgio and Rosasco, Lorenzo and
            Odone, Francesca},
  title = {{iCub World}: Friendly Robots Help Building Good Vision Data-Sets},
  booktitle = {IEEE Conference on Computer Vision and Pattern Recognition Workshops},
  pages = {700--705},
  year = {2013},
  doi = {10.1109/CVPRW.2013.106}
}"""


class Icubworld(tfds.core.GeneratorBasedBuilder):
    """The categorization protocol, from a release downloaded by the user."""

    VERSION = tfds.core.Version("1.0.0")
    MANUAL_DOWNLOAD_INSTRUCTIONS = f"""\
Put iCubWorld.zip, or its folder, here: iCubWorld 1.0 on {_HOMEPAGE}, 40 objects in 10
categories, with the folders train/<category> and test/categorization/<category> (or
test/<category>). iCubWorld1.0.zip is another release, Hello iCubWorld. Its checksum is
not publicly known."""

    def _info(self):
        return _folders.info(
            self,
            label=tfds.features.Text(),
            description=__doc__,
            homepage=_HOMEPAGE,
            citation=_CITATION,
        )

    def _split_generators(self, dl_manager):
        root = _folders.find_release(
            *(dl_manager, "iCubWorld", "icubworld"),
            homepage=_HOMEPAGE,
            mistaken=("iCubWorld1.0", "iCubWorld1"),
        )
        parts = {folder.name.lower(): folder for folder in _folders.subfolders(root)}
        if not {"train", "test"} <= set(parts):
            raise UsageError(
                f"expected the folders train and test in {root}, found "
                f"{_folders.listing(root)} (human and robot: that is Hello iCubWorld, "
                "of 7 objects, published as iCubWorld1.0.zip; get iCubWorld.zip)"
            )
        train, test = parts["train"], parts["test"]
        for part in _folders.subfolders(test):
            if part.name.lower() == "categorization":
                test = part
        if _categories(train) != _categories(test):
            raise UsageError(
                f"expected the same categories in {train} as in {test}, found "
                f"{_folders.listing(train)} and {_folders.listing(test)}"
            )
        return {
            "train": self._generate_examples(train),
            "test": self._generate_examples(test),
        }

    def _generate_examples(self, root):
        return _folders.examples(root, _folders.labelled_images(root, nested=True))


def _categories(folder) -> list[str]:
    return [category.name for category in _folders.subfolders(folder)]
