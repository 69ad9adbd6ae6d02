"""Downloads and prepares data sets with TensorFlow Datasets."""

import importlib
import threading

from keras_asymbp.benchmarks.datasets import reading
from keras_asymbp.benchmarks.datasets.dataset import Dataset
from keras_asymbp.benchmarks.datasets.subset import Subset
from keras_asymbp.benchmarks.datasets.tfds_folder import (
    TfdsFolder,
    bundled_builder,
    tfds_root,
)
from keras_asymbp.benchmarks.errors import NotPreparedError, UsageError


def origin(dataset: Dataset) -> TfdsFolder | None:
    """The TFDS data set behind a data set or a subset; None for other sources."""
    source = dataset.source
    if isinstance(source, Subset):
        source = source.source
    return source if isinstance(source, TfdsFolder) else None


def download(
    source: TfdsFolder, data_dir: str | None = None, timeout: float = 10
) -> None:
    """Has TFDS download and prepare a data set, unless it is prepared already.

    Args:
        source: The data set.
        data_dir: Folder of data sets prepared by TFDS.
        timeout: Seconds to wait for the server; TFDS alone would try for minutes.

    Raises:
        UsageError: If TFDS isn't installed or doesn't know the data set, the server
            can't be reached, or files that the user has to provide are missing; the
            message names them and their folder.
    """
    try:
        source.folder(data_dir)
    except NotPreparedError:
        _prepare(source, tfds_root(data_dir), timeout)


def _prepare(source, root, timeout):
    if not reading.has_tfds():
        raise UsageError(
            f"{source.name} can only be prepared with TensorFlow Datasets: "
            f"{reading.INSTALL}; or copy the prepared folder of the data set into "
            f"{root}"
        )
    if source.url:
        _check_network(source.name, source.url, root, timeout)
    import tensorflow_datasets as tfds

    module = bundled_builder(source.name)
    if module:
        importlib.import_module(module)  # registers the builder
    try:
        builder = tfds.builder(source.name, data_dir=root)
        if not (source.url or builder.MANUAL_DOWNLOAD_INSTRUCTIONS):
            _check_network(source.name, builder.info.homepage, root, timeout)
        builder.download_and_prepare()
    except tfds.core.registered.DatasetNotFoundError as error:
        raise UsageError(f"TensorFlow Datasets has no '{source.name}'") from error
    except tfds.download.DownloadError as error:
        raise UsageError(
            f"can't download {source.name}: {error}: try again later"
        ) from error
    except AssertionError as error:  # TFDS's, if files are missing
        raise UsageError(str(error)) from error
    except OSError as error:
        raise UsageError(f"can't prepare {source.name} in {root}: {error}") from error


def _check_network(name, url, root, timeout):
    """Probes the server from a thread, as name resolution ignores the timeout."""
    answers = []

    def probe():
        import requests

        try:
            requests.head(url, timeout=timeout)
            answers.append(None)
        except requests.RequestException as error:
            answers.append(type(error).__name__)

    thread = threading.Thread(target=probe, daemon=True)
    thread.start()
    thread.join(timeout)
    problem = answers[0] if answers else f"no answer in {timeout} s"
    if problem:
        raise UsageError(
            f"{url}, the source of {name}, can't be reached ({problem}): connect to "
            f"the network, or copy the prepared folder of the data set into {root}"
        )
