"""MIT Indoor-67 (Quattoni and Torralba, 2009): 67 classes of indoor scenes.

"train" and "test" are the images in the lists `TrainImages.txt` and `TestImages.txt`
of the authors: 5,360 and 1,340 images, about 80 and 20 per class, the paper's protocol
(its errors are multiples of 1/1340). The other 8,920 of the release's 15,620 images are
in neither list and are not used.

Files named `.jpg` may have another format, such as GIF, or be truncated. Pillow decodes
those that TensorFlow can't; they are stored as PNG, with a line in the log, and none is
left out.

The checksums of the files are not registered with TFDS, as their SHA-256 is not
publicly known. The archive's SHA-1 is 0b252516e746ba428b96af408d2e8162d9b08ac5.
"""

import tensorflow_datasets as tfds

from keras_asymbp.benchmarks.datasets import foreign
from keras_asymbp.benchmarks.datasets.builders import _folders
from keras_asymbp.benchmarks.errors import UsageError

_HOMEPAGE = "https://web.mit.edu/torralba/www/indoor.html"
_CITATION = """\
@inproceedings{quattoni2009recognizing,
  author = {Quattoni, Ariadna and Torralba, Antonio},
  title = {Recognizing Indoor Scenes},
  booktitle = {IEEE Conference on Computer Vision and Pattern Recognition},
  pages = {413--420},
  year = {2009}
}"""
_FILES = {
    "images": "http://groups.csail.mit.edu/vision/LabelMe/NewImages/indoorCVPR_09.tar",
    "train": "https://web.mit.edu/torralba/www/TrainImages.txt",
    "test": "https://web.mit.edu/torralba/www/TestImages.txt",
}
_NAMES = """
    airport_inside artstudio auditorium bakery bar bathroom bedroom bookstore bowling
    buffet casino children_room church_inside classroom cloister closet clothingstore
    computerroom concert_hall corridor deli dentaloffice dining_room elevator
    fastfood_restaurant florist gameroom garage greenhouse grocerystore gym hairsalon
    hospitalroom inside_bus inside_subway jewelleryshop kindergarden kitchen
    laboratorywet laundromat library livingroom lobby locker_room mall meeting_room
    movietheater museum nursery office operating_room pantry poolinside prisoncell
    restaurant restaurant_kitchen shoeshop stairscase studiomusic subway toystore
    trainstation tv_studio videostore waitingroom warehouse winecellar
"""
CLASSES = _NAMES.split()


class Indoor67(tfds.core.GeneratorBasedBuilder):
    """The authors' two lists of images, downloaded from MIT; for research only."""

    VERSION = tfds.core.Version("1.0.0")
    MANUAL_DOWNLOAD_INSTRUCTIONS = f"""\
Put indoorCVPR_09.tar, TrainImages.txt and TestImages.txt, from {_HOMEPAGE}, here, if
the server can't be reached."""

    def _info(self):
        return _folders.info(
            self,
            label=tfds.features.ClassLabel(names=CLASSES),
            description=__doc__,
            homepage=_HOMEPAGE,
            citation=_CITATION,
        )

    def _split_generators(self, dl_manager):
        files = _folders.fetch(dl_manager, _FILES)
        images = _folders.inside(files["images"], "Images")
        return {
            split: self._generate_examples(images, files[split])
            for split in ("train", "test")
        }

    def _generate_examples(self, root, list_file):
        return _folders.examples(
            root, ((root / line, line.split("/")[0]) for line in _lines(list_file))
        )


def _lines(path) -> list[str]:
    """The files in a list, each as `class/name.jpg`."""
    text = foreign.read_text(path)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for line in lines or [""]:
        if line.count("/") != 1 or line.split("/")[0] not in CLASSES:
            raise UsageError(
                f"{path} is not a list of {_HOMEPAGE}, delete it and try again: "
                f"expected lines such as gym/name.jpg, found "
                f"'{line[:60]}'"
            )
    return lines
