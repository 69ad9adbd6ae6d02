"""Getting a data set by TensorFlow Datasets: downloaded, or from files got by hand."""

import importlib
import threading

from keras_asymbp.benchmarks.datasets.dataset import Dataset
from keras_asymbp.benchmarks.datasets.subset import Subset
from keras_asymbp.benchmarks.datasets.tfds_folder import (
    TfdsFolder,
    bundled_builder,
    tfds_root,
)
from keras_asymbp.benchmarks.errors import NotPreparedError, UsageError

# Seconds that a server gets to answer; TFDS alone would try for minutes.
_PATIENCE = 10


def origin(dataset: Dataset) -> TfdsFolder | None:
    """The data set of TFDS that a data set is, or is drawn from; None for others."""
    source = dataset.source
    if isinstance(source, Subset):
        source = source.source
    return source if isinstance(source, TfdsFolder) else None


def download(source: TfdsFolder, data_dir: str | None = None) -> None:
    """Lets TFDS prepare a data set, if it isn't yet.

    Raises:
        UsageError: If TFDS doesn't know it, the server can't be reached, or the files
            that have to be got by hand aren't there: it says which and where they
            belong.
    """
    try:
        source.version(data_dir)
    except NotPreparedError:
        _prepare(source, data_dir)


def _prepare(source, data_dir):
    if source.url:
        _check_network(source.name, source.url)
    import tensorflow_datasets as tfds

    module = bundled_builder(source.name)
    if module:
        importlib.import_module(module)  # registers the builder
    root = tfds_root(data_dir)
    try:
        builder = tfds.builder(source.name, data_dir=root)
        if not (source.url or builder.MANUAL_DOWNLOAD_INSTRUCTIONS):
            _check_network(source.name, builder.info.homepage)
        builder.download_and_prepare()
    except tfds.core.registered.DatasetNotFoundError as error:
        raise UsageError(f"TensorFlow Datasets has no '{source.name}'") from error
    except tfds.download.DownloadError as error:
        raise UsageError(
            f"can't download {source.name}: {error}: try again later"
        ) from error
    except AssertionError as error:  # what TFDS raises without the files
        raise UsageError(str(error)) from error
    except OSError as error:
        raise UsageError(f"can't prepare {source.name} in {root}: {error}") from error


def _check_network(name, url):
    """Asks the server in a thread: looking up its name can hang, whatever is set."""
    answers = []

    def ask():
        import requests

        try:
            requests.head(url, timeout=_PATIENCE)
            answers.append(None)
        except requests.RequestException as error:
            answers.append(type(error).__name__)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(_PATIENCE)
    problem = answers[0] if answers else f"no answer in {_PATIENCE} s"
    if problem:
        raise UsageError(
            f"{url}, which has {name}, can't be reached ({problem}): "
            "connect to the network, or copy the data set's prepared folder to "
            "--data_dir from where it is"
        )
