"""The doctor's look at packages: those that ours needs, and their versions."""

import importlib.metadata
import platform
from collections.abc import Iterator

import keras_asymbp
from keras_asymbp.benchmarks.commands.finding import ABSENT, SLOW, WRONG, Finding

EXTRA = "benchmarks"
_INSTALL = f"pip install 'keras-asymbp[{EXTRA}]' brings"
# Of the extra, those that few have for another reason.
_SIGNS = ("keras-tuner", "soundfile", "tensorflow-datasets")


def has_extra() -> bool:
    """Whether the extra "benchmarks" was installed, perhaps not completely."""
    return any(map(_version, _SIGNS))


def findings(extra: bool) -> Iterator[Finding]:
    """A line for each package.

    Args:
        extra: Whether to examine those of the extra, too; otherwise it is absent.
    """
    yield Finding("keras-asymbp", keras_asymbp.__version__)
    yield Finding("python", platform.python_version())
    try:
        needed = _requirements(EXTRA if extra else "")
    except importlib.metadata.PackageNotFoundError:
        yield Finding(
            *("packages", "keras-asymbp is importable, not installed", SLOW),
            "the versions it needs are unknown: pip install it",
        )
        return
    for name, versions in needed.items():
        version = _version(name)
        if version is None:
            yield Finding(name, "not installed", WRONG, f"{_INSTALL} it")
        elif versions.contains(version, prereleases=True):
            yield Finding(name, version)
        else:
            hint = f"pip install --upgrade '{name}{versions}'"
            yield Finding(name, f"{version}, not {versions}", WRONG, hint)
    if not extra:
        yield Finding(
            *("benchmarks", "not installed; layers work without them", ABSENT),
            f"to run experiments, {_INSTALL} them",
        )


def _requirements(extra):
    """The versions that the package needs, by name."""
    from packaging.requirements import Requirement

    lines = importlib.metadata.requires("keras-asymbp") or []
    needed = {}
    for line in lines:
        requirement = Requirement(line)
        marker = requirement.marker
        if marker is None or marker.evaluate({"extra": extra}):
            needed[requirement.name] = requirement.specifier
    return dict(sorted(needed.items()))


def _version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
