import os
import pathlib
import re
import sys
import threading
import types

import pytest

from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.datasets import download, reading
from keras_asymbp.benchmarks.datasets.tfds_folder import TfdsFolder
from keras_asymbp.benchmarks.errors import UsageError


def test_the_origin_of_a_subset_is_its_whole_data_set():
    assert download.origin(datasets.get("lfw_id")).name == "lfw"
    assert download.origin(datasets.get("mnist")).name == "mnist"
    assert download.origin(datasets.get("mnist_5k")) is None


@pytest.fixture
def tfds(monkeypatch):
    """TensorFlow Datasets; a test sets what preparing asks for, and its outcome."""
    import requests
    import tensorflow_datasets as tfds

    prepared = []

    def builder(name, data_dir):
        def prepare():
            prepared.append((name, str(data_dir)))
            for url in builder.urls:
                requests.Session().get(url, stream=True)
            if isinstance(builder.outcome, Exception):
                raise builder.outcome

        info = types.SimpleNamespace(filename="toy.tgz")
        return types.SimpleNamespace(
            url_infos={"https://example.org/5": info}, download_and_prepare=prepare
        )

    builder.prepared, builder.urls, builder.outcome = prepared, [], None
    monkeypatch.setattr(tfds, "builder", builder)
    return builder


@pytest.fixture
def network(monkeypatch):
    """A network whose servers answer as a test sets."""
    import requests

    network = types.SimpleNamespace(probed=[], asked=[], answer=lambda: None)

    def head(url, timeout):
        network.probed.append(url)
        return network.answer()

    monkeypatch.setattr(requests, "head", head)
    get = lambda session, url, **options: network.asked.append(url)  # noqa: E731
    monkeypatch.setattr(requests.Session, "get", get)
    return network


def test_a_prepared_data_set_is_not_downloaded(tfds, network, tmp_path):
    (tmp_path / "toy" / "1.0.0").mkdir(parents=True)
    (tmp_path / "toy" / "1.0.0" / "dataset_info.json").write_text("{}")
    download.download(TfdsFolder("toy"), str(tmp_path))
    assert tfds.prepared == network.probed == []


def test_what_is_at_hand_needs_no_network(tfds, network, tmp_path):
    download.download(TfdsFolder("toy", url="https://example.org"), str(tmp_path))
    assert tfds.prepared == [("toy", str(tmp_path))]
    assert network.probed == []


def test_a_server_is_probed_once_before_its_first_file(tfds, network, tmp_path):
    tfds.urls = ["https://example.org/5", "https://example.org/6", "http://b.org:8/c"]
    download.download(TfdsFolder("toy"), str(tmp_path))
    assert network.probed == ["https://example.org", "http://b.org:8"]
    assert network.asked == tfds.urls


@pytest.mark.parametrize("kind", ["refused", "silent"])
@pytest.mark.parametrize(
    ("url", "file"),
    [("https://example.org/5", "toy.tgz"), ("https://example.org/a/b.tar", "b.tar")],
)
def test_no_network(url, file, kind, tfds, network, tmp_path):
    import requests

    over = threading.Event()

    def answer():
        if kind == "refused":
            raise requests.ConnectionError
        over.wait(60)  # as name resolution can, whatever the timeout

    network.answer = answer
    tfds.urls = [url]
    with pytest.raises(
        UsageError, match=r"the source of toy, can't be reached"
    ) as error:
        download.download(TfdsFolder("toy"), str(tmp_path), timeout=0.1)
    assert str(error.value).startswith("https://example.org, ")
    assert f"put {file} into {tmp_path}/downloads/manual," in str(error.value)
    over.set()
    assert network.asked == []


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (AssertionError("Manual directory\nx: put x into y"), "^Manual .* x into y$"),
        (AssertionError(), r"can't prepare toy in .* \(AssertionError\): delete"),
        (OSError(28, "disk full"), r"can't prepare toy in .*\(disk full\)"),
        (KeyError("jpg"), r"\(it has no 'jpg'\)"),
        (MemoryError(), "more memory than there is"),
        ("DownloadError", "can't download toy: status 404: try again later"),
    ],
)
def test_errors_of_tfds_become_one_line(outcome, words, tfds, network, tmp_path):
    if outcome == "DownloadError":  # TFDS is imported with the fixture, not here
        from tensorflow_datasets import download as tfds_download

        outcome = tfds_download.DownloadError("status 404")
    tfds.outcome = outcome
    with pytest.raises(UsageError, match=words) as error:
        download.download(TfdsFolder("toy"), str(tmp_path))
    assert "\n" not in str(error.value)


def test_a_wrong_checksum_names_the_file(network, tmp_path):
    """Of the stock builder, which finds the file before it asks the network."""
    manual = tmp_path / "downloads" / "manual"
    manual.mkdir(parents=True)
    (manual / "lfw.tgz").write_bytes(b"another archive")
    words = rf"downloaded to {manual}/lfw.tgz, has wrong checksum\): delete damaged"
    with pytest.raises(UsageError, match=words):
        download.download(TfdsFolder("lfw"), str(tmp_path))
    assert network.probed == []


@pytest.mark.parametrize("folder", ["downloads", "downloads/manual"])
def test_a_pipe_among_the_downloads(folder, tfds, network, tmp_path):
    (tmp_path / folder).mkdir(parents=True)
    os.mkfifo(tmp_path / folder / "toy.tgz")
    words = r"can't read .*toy.tgz \(it is a named pipe, not a file\): delete it"
    with pytest.raises(UsageError, match=words):
        download.download(TfdsFolder("toy"), str(tmp_path))
    assert tfds.prepared == []


def test_a_name_unknown_to_tfds(network, tmp_path):
    with pytest.raises(UsageError, match="TensorFlow Datasets has no 'no_such_thing'"):
        download.download(TfdsFolder("no_such_thing"), str(tmp_path))


def test_preparing_without_tfds(network, tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "has_tfds", lambda: False)
    words = r"toy can only .*: pip install tensorflow tensorflow-datasets; or copy"
    with pytest.raises(UsageError, match=words):
        download.download(TfdsFolder("toy", url="https://example.org"), str(tmp_path))
    assert network.probed == []


def test_a_builder_of_the_package_is_registered(tfds, network, tmp_path, monkeypatch):
    name = "keras_asymbp.benchmarks.datasets.builders.toy"
    monkeypatch.setattr(download, "bundled_builder", lambda _: name)
    monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    imported = []
    monkeypatch.setattr(download.importlib, "import_module", imported.append)
    download.download(TfdsFolder("toy", url="https://example.org"), str(tmp_path))
    assert imported == [name]


def test_download_sizes_in_the_documentation(tmp_path):
    """They are those that TFDS has registered."""
    import tensorflow_datasets as tfds

    root = pathlib.Path(__file__).parents[3]
    page = (root / "docs" / "datasets.md").read_text(encoding="utf-8")
    sizes = dict(re.findall(r"(?m)^\| `(\w+)` \|.*\| ([\w.?]+(?: [MG]B)?) \|$", page))
    assert sizes.keys() >= datasets.DATASETS.keys()
    compared = 0
    for name, dataset in datasets.DATASETS.items():
        source = download.origin(dataset)
        if source is None or download.bundled_builder(source.name):
            continue
        infos = tfds.builder(source.name, data_dir=tmp_path).url_infos
        # The address that Caltech-101 had before.
        total = sum(i.size for url, i in infos.items() if "drive.google" not in url)
        number, unit = sizes[name].split()
        digits = len(number.partition(".")[2])
        assert float(number) == round(total / {"MB": 1e6, "GB": 1e9}[unit], digits)
        compared += 1
    assert compared == 9
