"""PubFig83 (Pinto, Stone, Zickler and Cox, 2011): 83 people, at least 100 images each.

There is a folder for each person; its name is the label. There is no official split:
everything is in "train". The paper draws 80 people, 85 + 15 images each.

The images belong to many photographers and the archive's address has not always worked,
so the user downloads it. No checksum of `pubfig83.v1.tgz` is publicly known.
"""

import tensorflow_datasets as tfds

from keras_asymbp.benchmarks.datasets.builders import _folders

_HOMEPAGE = "http://vision.seas.harvard.edu/pubfig83/"
_CITATION = """\
@inproceedings{pinto2011scaling,
  author = {Pinto, Nicolas and Stone, Zak and Zickler, Todd and Cox, David D.},
  title = {Scaling-up Biologically-Inspired Computer Vision: A Case Study in
           Unconstrained Face Recognition on Facebook},
  booktitle = {IEEE Conference on Computer Vision and Pattern Recognition Workshops},
  pages = {35--42},
  year = {2011}
}"""


class Pubfig83(tfds.core.GeneratorBasedBuilder):
    """The folders of a release downloaded by the user."""

    VERSION = tfds.core.Version("1.0.0")
    MANUAL_DOWNLOAD_INSTRUCTIONS = f"""\
Put pubfig83.v1.tgz, from {_HOMEPAGE}, or its folder pubfig83 here: one folder for each
person, such as 'Adam Sandler', with that person's images. Its checksum is not publicly
known."""

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
            dl_manager, "pubfig83", "pubfig83.v1", homepage=_HOMEPAGE
        )
        return {"train": self._generate_examples(root)}

    def _generate_examples(self, root):
        return _folders.examples(root, _folders.labelled_images(root))
