"""Lists, prepares and checks the data sets of the benchmarks.

    keras-asymbp datasets --list
    keras-asymbp datasets --prepare cifar10,stl10
    keras-asymbp datasets --check cifar10

A data set is prepared once: downloaded, where that is permitted, and fitted to its
network.
"""

import pathlib
import re

from absl import flags

from keras_asymbp._names import did_you_mean
from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.commands import program
from keras_asymbp.benchmarks.commands.flags.folders import define_data_dir
from keras_asymbp.benchmarks.commands.flags.groups import ESSENTIALS, Group
from keras_asymbp.benchmarks.commands.flags.parsers import FOLDER, PATH
from keras_asymbp.benchmarks.datasets import download, prepared
from keras_asymbp.benchmarks.datasets.tfds_folder import TfdsFolder
from keras_asymbp.benchmarks.errors import NotPreparedError, UsageError
from keras_asymbp.benchmarks.escaping.printable import one_line
from keras_asymbp.benchmarks.tables.protocol import Protocol


class Flags:
    """The flags of this command.

    Args:
        values: Where the flags are defined; by default where absl parses them.
    """

    def __init__(self, values: flags.FlagValues = flags.FLAGS):
        group = Group(ESSENTIALS, values)
        self.list = group.switch(
            "list",
            False,
            "List the data sets, and how to get those that are missing.",
        )
        self.prepare = group.list(
            "prepare",
            [],
            "Data sets to download, where that is permitted, and to fit to their "
            "networks; separated by commas, or all.",
            known=(*datasets.DATASETS, "all"),
            others=PATH,
        )
        self.check = group.list(
            "check",
            [],
            "Data sets to count and to draw samples of, separated by commas.",
            known=tuple(datasets.DATASETS),
            others=PATH,
        )
        self.pictures = group.text(
            "pictures", ".", "Folder for the pictures of --check.", FOLDER
        )
        self.data_dir = define_data_dir(values)


def main() -> None:
    """The command; ends the process with its exit code."""
    given = Flags()
    program.start(
        lambda: _run(
            *(given.list.value, given.prepare.value, given.check.value),
            *(given.pictures.value, given.data_dir.value),
        ),
        "keras-asymbp datasets",
        __doc__,
        stopped="stopped; finished parts are kept, the rest is made again",
    )


def _run(listed, to_prepare, to_check, pictures, data_dir) -> int:
    if not (listed or to_prepare or to_check):
        raise UsageError("nothing to do: give --list, --prepare NAME or --check NAME")
    if listed:
        for dataset in datasets.DATASETS.values():
            state = _state(dataset, data_dir)
            text = f"{dataset.name:<15} {state}\n{'':<15} {_about(dataset)}"
            print(text, flush=True)  # the next may take seconds to be read
    failed: list[str] = []
    for name in datasets.DATASETS if to_prepare == ["all"] else to_prepare:
        try:
            _prepare(name, data_dir)
        except UsageError as error:  # the others may succeed
            failed += error.args
    for name in to_check:
        try:
            _check(name, pictures, data_dir)
        except UsageError as error:
            failed += error.args
    if failed:
        raise UsageError(*failed)
    return 0


def _about(dataset):
    return (
        f"{dataset.description}; {dataset.num_classes} classes, network "
        f"'{dataset.network}'"
    )


def _state(dataset, data_dir):
    try:
        version = dataset.version(data_dir)
    except NotPreparedError:
        source = download.origin(dataset)
        how = "downloads it" if source.url else "says how to get it by hand"
        return f"missing: --prepare {dataset.name} {how}"
    except UsageError as error:
        return f"damaged: {error}"
    if dataset.source.in_memory:
        part = dataset.name in datasets.DATASETS
        return "part of the package" if part else f"there, version {version}"
    is_fitted = _fit(dataset, data_dir).folder().exists()
    fitted = ", fitted to its network" if is_fitted else ""
    return f"there, version {version}{fitted}"


def _fit(dataset, data_dir):
    """The whole data set, fitted to the network that the paper uses for it."""
    return Protocol().fit(dataset, data_dir)


def _prepare(name, data_dir):
    import rich.console

    from keras_asymbp.benchmarks.run import progress

    dataset = datasets.DATASETS.get(name) or _own(name, data_dir)
    origin = download.origin(dataset)
    if origin:
        download.download(origin, data_dir)
    prepared.load(_fit(dataset, data_dir), progress.bar(rich.console.Console()))
    print(one_line(f"{name}: {_state(dataset, data_dir)}"))


def _own(name, data_dir):
    """A user's own data set, downloaded first if it is one of TFDS."""
    try:
        return datasets.get(name, data_dir)
    except UsageError:
        if not re.fullmatch(r"\w+(/\w+)*", name):
            raise
    try:
        download.download(TfdsFolder(name), data_dir)
    except UsageError as error:
        question = did_you_mean(name, datasets.DATASETS)
        raise UsageError(*error.args, *([question] if question else ())) from error
    return datasets.get(name, data_dir)


def _check(name, pictures, data_dir):
    from keras_asymbp.benchmarks.datasets import look

    dataset = datasets.get(name, data_dir)
    arrays = prepared.load(_fit(dataset, data_dir))
    version = dataset.version(data_dir)
    print(one_line(f"{dataset.name}: {_about(dataset)}; version {version}"))
    for counts in look.count(dataset, arrays):
        print(f"  {counts}")
    picture = pathlib.Path(pictures, f"{dataset.name}.png")
    try:
        picture.parent.mkdir(parents=True, exist_ok=True)
        look.draw(arrays, picture)
    except OSError as error:
        raise UsageError(
            f"can't write {picture} ({error.strerror}): choose another folder with "
            "--pictures"
        ) from error
    print(f"  samples: {one_line(picture)}")


if __name__ == "__main__":
    main()
