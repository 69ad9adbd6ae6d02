import ast
import pathlib
import re

import pytest

from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.datasets.subset import Subset
from keras_asymbp.benchmarks.errors import UsageError
from keras_asymbp.benchmarks.networks import NETWORKS
from keras_asymbp.benchmarks.tables import experiments, printed

every_dataset = pytest.mark.parametrize(
    "dataset", datasets.DATASETS.values(), ids=list(datasets.DATASETS)
)


@every_dataset
def test_a_data_set_refers_to_known_names(dataset):
    assert datasets.get(dataset.name) is dataset
    assert dataset.network in NETWORKS
    if dataset.paper is not None:
        assert printed.error(dataset.paper, "SGD") is not None
    assert "\n" not in dataset.description


@pytest.mark.parametrize(
    "dataset", [d for d in datasets.DATASETS.values() if d.paper], ids=lambda d: d.name
)
def test_classes_and_networks_are_those_of_the_paper(dataset):
    assert dataset.num_classes == printed.CLASSES[dataset.paper]
    networks = {"MNIST": "mnist", "CIFAR": "cifar", "CIFAR100": "cifar", "SVHN": "svhn"}
    networks["TIMIT80"] = "timit"
    assert dataset.network == networks.get(dataset.paper, "large")


def test_counts_are_those_of_the_source():
    train, test = datasets.get("mnist_5k").labels()
    assert datasets.get("mnist_5k").counts == (len(train), len(test))
    for dataset in datasets.DATASETS.values():
        if isinstance(dataset.source, Subset) and dataset.name != "caltech101":
            source = dataset.source
            per_class = source.train, source.test
            assert dataset.counts == tuple(source.classes * n for n in per_class)


def test_every_row_of_the_paper_has_its_data_set():
    rows = [d.paper for d in datasets.DATASETS.values() if d.as_in_paper]
    assert sorted(rows) == sorted(printed.CLASSES)


def test_a_data_set_of_a_peer_has_only_the_figures_of_the_peer():
    fashion = datasets.get("fashion_mnist")
    assert (fashion.paper, fashion.as_in_paper) == (None, False)
    peers = experiments.FA_BENCH
    network = dict(peers.networks)[fashion.network]
    row = peers.row(fashion, network)
    assert (peers.source, row) == ("BioTorch", "fashion_mnist lenet-mnist")
    assert printed.error(row, "FA") == 13.06
    assert not printed.has(experiments.get("A").row(fashion, "mnist"))


def test_a_registered_data_set_is_found(tiny):
    """`tiny` is registered as the documentation says, in `datasets.DATASETS`."""
    assert datasets.DATASETS["tiny"] is tiny
    assert datasets.get("tiny") is tiny
    assert datasets.find(["tiny"]) == ((tiny, "1"),)


def test_unknown_data_set():
    with pytest.raises(
        UsageError, match=r"unknown data set 'MNIST': .*'mnist'.*\.npz file"
    ):
        datasets.get("MNIST")


def test_all_missing_data_sets_are_reported_at_once(tmp_path):
    names = ["mnist_5k", "stl10", "nope", "scene67", "stl10"]
    with pytest.raises(UsageError) as error:
        datasets.find(names, str(tmp_path))
    assert len(error.value.args) == 3
    for line, words in zip(
        error.value.args,
        (["'stl10'", "--prepare stl10"], ["'nope'"], ["--prepare scene67"]),
        strict=True,
    ):
        for word in words:
            assert word in line


def test_each_data_set_is_found_once():
    dataset = datasets.get("mnist_5k")
    assert datasets.find(["mnist_5k", "mnist_5k"]) == ((dataset, "1"),)


PACKAGE = pathlib.Path(datasets.__file__).parent


@pytest.mark.parametrize(
    "file",
    sorted(file.relative_to(PACKAGE).as_posix() for file in PACKAGE.rglob("*.py")),
)
def test_no_text_names_a_flag(file):
    """Flags belong to the commands; the data sets speak of their arguments."""
    nodes = ast.walk(ast.parse((PACKAGE / file).read_text(encoding="utf-8")))
    texts = [node.value for node in nodes if isinstance(node, ast.Constant)]
    flag = re.compile("--[A-Za-z]")
    assert [text for text in texts if isinstance(text, str) and flag.search(text)] == []


def test_importing_it_imports_neither_tensorflow_nor_tfds(run_python):
    # With the program name of the command line; any other imports the library.
    run_python(
        "import sys; sys.argv = ['keras-asymbp']\n"
        "from keras_asymbp.benchmarks import datasets\n"
        "assert datasets.get('mnist_5k').version() == '1'\n"
        "assert not {'tensorflow', 'keras', 'tensorflow_datasets'} & set(sys.modules)"
    )
