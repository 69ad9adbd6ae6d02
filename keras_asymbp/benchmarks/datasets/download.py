"""Downloads and prepares data sets with TensorFlow Datasets."""

import contextlib
import importlib
import threading
import urllib.parse

from keras_asymbp.benchmarks.datasets import foreign, reading
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
        UsageError: If TFDS isn't installed or doesn't know the data set, a server that
            has to be asked can't be reached, a file is damaged, or files that the user
            has to provide are missing; the message names them and their folder.
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
    import tensorflow_datasets as tfds

    module = bundled_builder(source.name)
    if module:
        importlib.import_module(module)  # registers the builder
    _check_downloads(root / "downloads")
    try:
        builder = tfds.builder(source.name, data_dir=root)
        names = {url: info.filename for url, info in (builder.url_infos or {}).items()}
        with _probed(source.name, names, root, timeout):
            builder.download_and_prepare()
    except UsageError:
        raise
    except tfds.core.registered.DatasetNotFoundError as error:
        raise UsageError(f"TensorFlow Datasets has no '{source.name}'") from error
    except tfds.download.DownloadError as error:
        raise UsageError(
            f"can't download {source.name}: {foreign.reason(error)}: try again later"
        ) from error
    except Exception as error:  # builders read foreign files, and raise anything
        if isinstance(error, AssertionError) and "Manual directory" in str(error):
            raise UsageError(" ".join(str(error).split())) from error
        raise UsageError(
            f"can't prepare {source.name} in {root} ({foreign.reason(error)}): delete "
            f"damaged files in {root}/downloads, or choose another folder, and try "
            "again"
        ) from error


def _check_downloads(folder):
    """Refuses what TFDS would open and wait for, such as a named pipe."""
    for inside in (folder, *folder.glob("*/")):
        if inside.is_dir():
            foreign.check_entries(inside, "delete it, and try again")


@contextlib.contextmanager
def _probed(name, names, root, timeout):
    """Has each server probed before TFDS first asks it for a file that isn't at hand.

    TFDS, which downloads with requests, finds files in its folder of downloads and in
    `downloads/manual` before.
    """
    import requests

    get, lock = requests.Session.get, threading.Lock()
    problems = {}  # by server; None if it answers

    def probe_and_get(session, url, **options):
        parts = urllib.parse.urlsplit(url)
        server = f"{parts.scheme}://{parts.netloc}"
        with lock:
            if server not in problems:
                problems[server] = _probe(server, timeout)
        if problems[server]:
            file = names.get(url) or parts.path.rpartition("/")[2]
            raise UsageError(
                f"{server}, the source of {name}, can't be reached "
                f"({problems[server]}): connect to the network, put {file} into "
                f"{root}/downloads/manual, or copy the prepared folder of the data set "
                f"into {root}"
            )
        return get(session, url, **options)

    requests.Session.get = probe_and_get  # type: ignore[method-assign]
    try:
        yield
    finally:
        requests.Session.get = get  # type: ignore[method-assign]


def _probe(url, timeout) -> str | None:
    """Returns the problem with a server, if any.

    A thread asks it, as name resolution ignores the timeout.
    """
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
    return answers[0] if answers else f"no answer in {timeout} s"
