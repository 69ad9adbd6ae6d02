"""The catalog: a table of data sets by name, and the lookup of a name."""

import pathlib
from collections.abc import Sequence

from keras_asymbp.benchmarks.datasets import own
from keras_asymbp.benchmarks.datasets.dataset import Dataset
from keras_asymbp.benchmarks.datasets.npz import Npz
from keras_asymbp.benchmarks.datasets.subset import Subset
from keras_asymbp.benchmarks.datasets.text import SYMBOLS, Text
from keras_asymbp.benchmarks.datasets.tfds_folder import TfdsFolder
from keras_asymbp.benchmarks.errors import NotPreparedError, UsageError, unknown

_WINDOWS = 20_000, 2_000

# Section 5, "Datasets", and the networks of Table 1.
DATASETS = {
    dataset.name: dataset
    for dataset in (
        Dataset(
            name="mnist_5k",
            description="4,000 + 1,000 images of MNIST, part of this package",
            paper="MNIST",
            num_classes=10,
            network="mnist",
            counts=(4_000, 1_000),
            source=Npz(pathlib.Path(__file__).with_name("mnist_5k.npz"), "1"),
            as_in_paper=False,
        ),
        Dataset(
            name="mnist",
            description="60,000 + 10,000 images of handwritten digits",
            paper="MNIST",
            num_classes=10,
            network="mnist",
            counts=(60_000, 10_000),
            source=TfdsFolder("mnist", url="https://storage.googleapis.com"),
        ),
        Dataset(
            name="cifar10",
            description="50,000 + 10,000 colour photographs of ten classes of objects",
            paper="CIFAR",
            num_classes=10,
            network="cifar",
            counts=(50_000, 10_000),
            source=TfdsFolder("cifar10", url="https://www.cs.toronto.edu"),
        ),
        Dataset(
            name="cifar100",
            description="50,000 + 10,000 colour photographs of 100 classes of objects",
            paper="CIFAR100",
            num_classes=100,
            network="cifar",
            counts=(50_000, 10_000),
            source=TfdsFolder("cifar100", url="https://www.cs.toronto.edu"),
        ),
        Dataset(
            name="svhn",
            description="73,257 + 26,032 house numbers, photographed from the street",
            paper="SVHN",
            num_classes=10,
            network="svhn",
            counts=(73_257, 26_032),
            source=TfdsFolder("svhn_cropped", url="http://ufldl.stanford.edu"),
        ),
        Dataset(
            name="stl10",
            description="5,000 + 8,000 colour photographs of ten classes of objects",
            paper="STL10",
            num_classes=10,
            network="large",
            counts=(5_000, 8_000),
            source=TfdsFolder("stl10", url="http://ai.stanford.edu"),
        ),
        Dataset(
            name="caltech101",
            description="102 classes of objects, 30 + up to 10 photographs of each",
            paper="Cal101",
            num_classes=102,
            network="large",
            counts=(3_060, 949),
            source=Subset(
                TfdsFolder("caltech101", url="https://data.caltech.edu"),
                splits="train+test",
                classes=102,
                train=30,
                test=10,
            ),
        ),
        Dataset(
            name="caltech256_101",
            description="102 classes of Caltech-256, 30 + 10 photographs of each",
            paper="Cal256-101",
            num_classes=102,
            network="large",
            counts=(3_060, 1_020),
            source=Subset(
                TfdsFolder("caltech256", url="https://data.caltech.edu"),
                splits="train",
                classes=102,
                train=30,
                test=10,
            ),
        ),
        Dataset(
            name="icubworld",
            description="ten classes of objects seen by a robot, in the official split",
            paper="iCub",
            num_classes=10,
            network="large",
            counts=(6_000, 2_001),
            source=TfdsFolder("icubworld"),
        ),
        Dataset(
            name="flowers17",
            description="17 classes of flowers, 40 + 20 photographs of each",
            paper="Flowers17",
            num_classes=17,
            network="large",
            counts=(680, 340),
            source=TfdsFolder("flowers17", url="https://www.robots.ox.ac.uk"),
        ),
        Dataset(
            name="flowers102",
            description="102 classes of flowers, 1,020 + 6,149 photographs",
            paper="Flowers102",
            num_classes=102,
            network="large",
            counts=(1_020, 6_149),
            source=TfdsFolder("oxford_flowers102", url="https://www.robots.ox.ac.uk"),
        ),
        Dataset(
            name="pubfig83_id",
            description="80 people of PubFig83, 85 + 15 photographs of each",
            paper="PubFig83-ID",
            num_classes=80,
            network="large",
            counts=(6_800, 1_200),
            source=Subset(
                TfdsFolder("pubfig83"), splits="train", classes=80, train=85, test=15
            ),
        ),
        Dataset(
            name="sufr_w_id",
            description="80 people of SUFR-W, 10 + 5 photographs of each",
            paper="SUFR-W-ID",
            num_classes=80,
            network="large",
            counts=(800, 400),
            source=Subset(
                TfdsFolder("sufr_w"), splits="train", classes=80, train=10, test=5
            ),
        ),
        Dataset(
            name="lfw_id",
            description="80 people of LFW, 10 + 5 photographs of each",
            paper="LFW-ID",
            num_classes=80,
            network="large",
            counts=(800, 400),
            source=Subset(
                TfdsFolder("lfw", url="https://ndownloader.figshare.com"),
                splits="train",
                classes=80,
                train=10,
                test=5,
            ),
        ),
        Dataset(
            name="scene67",
            description="67 classes of indoor scenes, about 80 + 20 photographs each",
            paper="Scene67",
            num_classes=67,
            network="large",
            counts=(5_360, 1_340),
            source=TfdsFolder("indoor67", url="https://web.mit.edu"),
        ),
        Dataset(
            name="timit80",
            description="speech: 80 phone states, 400 + 100 samples of each",
            paper="TIMIT80",
            num_classes=80,
            network="timit",
            counts=(32_000, 8_000),
            source=TfdsFolder("timit/thirds"),
        ),
        # In a peer's table, not in the paper's.
        Dataset(
            name="fashion_mnist",
            description="60,000 + 10,000 images of clothes",
            paper=None,
            num_classes=10,
            network="mnist",
            counts=(60_000, 10_000),
            source=TfdsFolder(
                "fashion_mnist",
                url="http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
            ),
            as_in_paper=False,
        ),
        # For networks of attention.
        Dataset(
            name="sonnets",
            description="Shakespeare's sonnets: 20,000 + 2,000 times, the next letter",
            paper=None,
            num_classes=len(SYMBOLS),
            network="transformer",
            counts=_WINDOWS,
            source=Text(pathlib.Path(__file__).with_name("sonnets.txt"), "1", _WINDOWS),
            as_in_paper=False,
        ),
    )
}


def get(name: str, data_dir: str | None = None) -> Dataset:
    """Returns a data set of the catalog, or the user's own.

    Args:
        name: A key of `DATASETS`, the path of an `.npz` file, the path of a folder of
            class folders, or the name of a data set prepared by TFDS.
        data_dir: Folder of data sets prepared by TFDS.

    Raises:
        UsageError: If no data set has this name, or the user's own has the name of
            one in the catalog.
    """
    if name in DATASETS:
        return DATASETS[name]
    dataset = own.find(name, data_dir)
    if dataset is None:
        raise unknown("data set", name, DATASETS, _OWN)
    if dataset.name in DATASETS:
        raise UsageError(
            f"{name} would be named '{dataset.name}', the name of another data set: "
            "rename it"
        )
    return dataset


_OWN = (
    "the path of an .npz file or of a folder of class folders, or a TFDS data set "
    "prepared in data_dir"
)


def find(
    names: Sequence[str], data_dir: str | None = None, missing_ok: bool = False
) -> tuple[tuple[Dataset, str], ...]:
    """Finds several data sets, each once, with the version that is prepared.

    Args:
        names: Names, as `get` takes them.
        data_dir: Folder of data sets prepared by TFDS.
        missing_ok: Whether a data set that isn't prepared is returned, with the version
            "none".

    Raises:
        UsageError: If any can't be found or isn't prepared, with a line for each.
    """
    found: dict[str, tuple[Dataset, str]] = {}
    problems: list[str] = []
    for name in dict.fromkeys(names):
        try:
            dataset = get(name, data_dir)
            version = _version(dataset, data_dir, missing_ok)
        except UsageError as error:
            problems += error.args
            continue
        if dataset.name in found and found[dataset.name][0] != dataset:
            problems.append(
                f"two data sets have the name '{dataset.name}': rename one of the files"
            )
        found[dataset.name] = dataset, version
    if problems:
        raise UsageError(*problems)
    return tuple(found.values())


def _version(dataset, data_dir, missing_ok):
    try:
        return dataset.version(data_dir)
    except NotPreparedError:
        if missing_ok:
            return "none"
        raise
