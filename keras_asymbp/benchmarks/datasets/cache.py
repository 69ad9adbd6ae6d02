"""The folder of the cache."""

import os
import pathlib


def cache_root() -> pathlib.Path:
    """The folder of the cache: `KERAS_ASYMBP_CACHE`, or a folder in Keras's."""
    keras_home = os.environ.get("KERAS_HOME") or "~/.keras"
    default = pathlib.Path(keras_home, "keras_asymbp")
    root = os.environ.get("KERAS_ASYMBP_CACHE") or default
    return pathlib.Path(os.path.expanduser(root))  # pathlib's raises without a home
