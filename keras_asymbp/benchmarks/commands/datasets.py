"""Lists, prepares and looks at the data sets of the benchmarks.

python -m keras_asymbp.benchmarks.datasets --list
python -m keras_asymbp.benchmarks.datasets --prepare cifar10,stl10
python -m keras_asymbp.benchmarks.datasets --check cifar10
"""

import pathlib

from absl import flags

from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.commands import program
from keras_asymbp.benchmarks.datasets import download, prepared
from keras_asymbp.benchmarks.datasets.tfds_folder import TfdsFolder
from keras_asymbp.benchmarks.errors import NotPreparedError, UsageError
from keras_asymbp.benchmarks.tables.protocol import Protocol

_LIST = flags.DEFINE_bool(
    "list", False, "Say which data sets are there, and how to get the others."
)
_PREPARE = flags.DEFINE_list(
    "prepare",
    [],
    "Data sets to download, where that is allowed, and to fit to their networks; "
    "separated by commas, or all.",
)
_CHECK = flags.DEFINE_list(
    "check", [], "Data sets to count and to draw a picture of, separated by commas."
)
_DATA_DIR = flags.DEFINE_string(
    "data_dir",
    None,
    "Folder of data sets prepared by TensorFlow Datasets, instead of its own default.",
)
_PICTURES = flags.DEFINE_string("pictures", ".", "Folder for the pictures of --check.")


def main() -> None:
    """The command line; ends the process with its exit code."""
    program.start(
        _run, globals(), stopped="stopped; what is whole is kept, the rest is made anew"
    )


def _run() -> int:
    if not (_LIST.value or _PREPARE.value or _CHECK.value):
        raise UsageError("say what to do: --list, --prepare NAME or --check NAME")
    if _LIST.value:
        for dataset in datasets.DATASETS.values():
            print(f"{dataset.name:<15} {_state(dataset)}\n{'':<15} {_about(dataset)}")
    failed: list[str] = []
    names = _PREPARE.value
    for name in datasets.DATASETS if names == ["all"] else names:
        try:
            _prepare(name)
        except UsageError as error:  # the others may do
            failed += error.args
    for name in _CHECK.value:
        _check(name)
    if failed:
        raise UsageError(*failed)
    return 0


def _about(dataset):
    return (
        f"{dataset.description}; {dataset.num_classes} classes, network "
        f"'{dataset.network}'"
    )


def _state(dataset):
    try:
        version = dataset.version(_DATA_DIR.value)
    except NotPreparedError:
        source = download.origin(dataset)
        how = "downloads it" if source.url else "says how to get it by hand"
        return f"missing: --prepare {dataset.name} {how}"
    if dataset.source.in_memory:
        part = dataset.name in datasets.DATASETS
        return "part of the package" if part else f"there, version {version}"
    fitted = ", fitted to its network" if _fit(dataset).folder().exists() else ""
    return f"there, version {version}{fitted}"


def _fit(dataset):
    """All of a data set, as the network that the paper uses for it takes it."""
    return Protocol().fit(dataset, _DATA_DIR.value)


def _prepare(name):
    import rich.console

    from keras_asymbp.benchmarks.run import progress

    dataset = datasets.DATASETS.get(name) or _own(name)
    origin = download.origin(dataset)
    if origin:
        download.download(origin, _DATA_DIR.value)
    prepared.load(_fit(dataset), progress.bar(rich.console.Console()))
    print(f"{name}: {_state(dataset)}")


def _own(name):
    """A user's own data set, downloaded first if it is one of TFDS."""
    try:
        return datasets.get(name, _DATA_DIR.value)
    except UsageError:
        if not name.replace("_", "").replace("/", "").isalnum():
            raise
    download.download(TfdsFolder(name), _DATA_DIR.value)
    return datasets.get(name, _DATA_DIR.value)


def _check(name):
    from keras_asymbp.benchmarks.datasets import look

    dataset = datasets.get(name, _DATA_DIR.value)
    arrays = prepared.load(_fit(dataset))
    print(
        f"{dataset.name}: {_about(dataset)}; version {dataset.version(_DATA_DIR.value)}"
    )
    for counts in look.count(dataset, arrays):
        print(f"  {counts}")
    picture = pathlib.Path(_PICTURES.value, f"{dataset.name}.png")
    try:
        picture.parent.mkdir(parents=True, exist_ok=True)
        look.draw(arrays, picture)
    except OSError as error:
        raise UsageError(
            f"can't write {picture} ({error.strerror}): choose another folder with "
            "--pictures"
        ) from error
    print(f"  some of it: {picture}")


if __name__ == "__main__":
    main()
