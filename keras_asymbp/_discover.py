"""Discovers the classes of a package in its files.

A rule or layer is one file: adding it to its package exports it, registers its name and
runs it through the contract tests.
"""

import importlib
import pkgutil
from typing import Any


def public_classes(package: str, path, base: type) -> dict[str, Any]:
    """Imports every module of a package; returns its public subclasses of `base`.

    Args:
        package: Name of the package.
        path: The package's `__path__`.
        base: The base class, which is left out.

    Returns:
        The classes by name, in the order of their files' names.
    """
    classes = {}
    for info in pkgutil.iter_modules(path):
        module = importlib.import_module(f"{package}.{info.name}")
        for name, value in vars(module).items():
            if (
                isinstance(value, type)
                and issubclass(value, base)
                and value is not base
                and value.__module__ == module.__name__
                and not name.startswith("_")
            ):
                classes[name] = value
    return classes
