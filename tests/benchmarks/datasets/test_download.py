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
    """TensorFlow Datasets with a preparation of the outcome that a test sets."""
    import tensorflow_datasets as tfds

    asked = []

    def builder(name, data_dir):
        asked.append((name, str(data_dir)))

        def prepare():
            if isinstance(builder.outcome, Exception):
                raise builder.outcome

        return types.SimpleNamespace(
            MANUAL_DOWNLOAD_INSTRUCTIONS=None,
            info=types.SimpleNamespace(homepage="https://example.org/home"),
            download_and_prepare=prepare,
        )

    builder.asked, builder.outcome = asked, None
    monkeypatch.setattr(tfds, "builder", builder)
    return builder


@pytest.fixture
def network(monkeypatch):
    """A network whose servers answer as a test sets."""
    import requests

    network = types.SimpleNamespace(asked=[], answer=lambda: None)

    def head(url, timeout):
        network.asked.append(url)
        return network.answer()

    monkeypatch.setattr(requests, "head", head)
    return network


def test_a_prepared_data_set_is_not_downloaded(tfds, network, tmp_path):
    (tmp_path / "toy" / "1.0.0").mkdir(parents=True)
    (tmp_path / "toy" / "1.0.0" / "dataset_info.json").write_text("{}")
    download.download(TfdsFolder("toy", url="https://example.org"), str(tmp_path))
    assert tfds.asked == network.asked == []


def test_the_server_is_probed_first(tfds, network, tmp_path):
    download.download(TfdsFolder("toy", url="https://example.org"), str(tmp_path))
    assert network.asked == ["https://example.org"]
    assert tfds.asked == [("toy", str(tmp_path))]
    download.download(TfdsFolder("toy"), str(tmp_path))
    assert network.asked[1:] == ["https://example.org/home"]


@pytest.mark.parametrize("kind", ["refused", "silent"])
def test_no_network(kind, tfds, network, tmp_path):
    import requests

    over = threading.Event()

    def answer():
        if kind == "refused":
            raise requests.ConnectionError
        over.wait(60)  # as name resolution can, whatever the timeout

    network.answer = answer
    toy = TfdsFolder("toy", url="https://example.org")
    with pytest.raises(
        UsageError, match=r"the source of toy, can't be reached"
    ) as error:
        download.download(toy, str(tmp_path), timeout=0.1)
    assert str(error.value).startswith("https://example.org")
    assert str(error.value).endswith(f"into {tmp_path}")
    over.set()
    assert tfds.asked == []


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (AssertionError("put x into y"), "put x into y"),
        (OSError("disk full"), "can't prepare toy in .*disk full"),
        ("DownloadError", "can't download toy: status 404: try again later"),
    ],
)
def test_errors_of_tfds_become_one_line(outcome, words, tfds, network, tmp_path):
    if outcome == "DownloadError":  # TFDS is imported with the fixture, not here
        from tensorflow_datasets import download as tfds_download

        outcome = tfds_download.DownloadError("status 404")
    tfds.outcome = outcome
    with pytest.raises(UsageError, match=words):
        download.download(TfdsFolder("toy", url="https://example.org"), str(tmp_path))


def test_a_name_unknown_to_tfds(network, tmp_path):
    with pytest.raises(UsageError, match="TensorFlow Datasets has no 'no_such_thing'"):
        download.download(TfdsFolder("no_such_thing"), str(tmp_path))


def test_preparing_without_tfds(network, tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "has_tfds", lambda: False)
    words = r"toy can only .*: pip install tensorflow tensorflow-datasets; or copy"
    with pytest.raises(UsageError, match=words):
        download.download(TfdsFolder("toy", url="https://example.org"), str(tmp_path))
    assert network.asked == []


def test_a_builder_of_the_package_is_registered(tfds, network, tmp_path, monkeypatch):
    name = "keras_asymbp.benchmarks.datasets.builders.toy"
    monkeypatch.setattr(download, "bundled_builder", lambda _: name)
    monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    imported = []
    monkeypatch.setattr(download.importlib, "import_module", imported.append)
    download.download(TfdsFolder("toy", url="https://example.org"), str(tmp_path))
    assert imported == [name]
