import os
import re
import subprocess
import sys

import pytest

import keras_asymbp


def test_public_names_exist():
    assert len(set(keras_asymbp.__all__)) == len(keras_asymbp.__all__)
    for name in keras_asymbp.__all__:
        assert getattr(keras_asymbp, name) is not None
    expected = {
        "AsymConv2D",
        "AsymDense",
        "BatchManhattan",
        "BatchNormalization",
        "BatchStatistics",
        "RedrawFeedback",
        "feedbacks",
        "layers",
        "optimizers",
        "redraw_feedback",
    }
    assert expected <= set(keras_asymbp.__all__)


def test_version():
    assert re.match(r"\d+\.\d+\.\d+", keras_asymbp.__version__)


HEAVY = {"tensorflow", "keras"}


def imported_by(program, *arguments):
    """The names of the modules that a program imports, and its output."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *program, *arguments],
        # At level 0, what Python itself writes to file descriptor 2 is kept.
        env=os.environ
        | {"PYTHONPATH": os.pathsep.join(sys.path), "TF_CPP_MIN_LOG_LEVEL": "0"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    modules = re.findall(r"^import time:.*\| +(\S+)$", done.stderr, re.MULTILINE)
    return set(modules), done.stdout


@pytest.mark.parametrize(
    "program",
    [
        ["-m", "keras_asymbp.benchmarks"],
        ["-mkeras_asymbp.benchmarks"],
        ["-Bmkeras_asymbp.benchmarks"],
    ],
)
def test_our_command_does_not_import_tensorflow(program):
    modules, output = imported_by(program, "--list")
    assert "keras_asymbp" in modules
    assert not modules & HEAVY
    assert "C2" in output


def test_a_module_below_it_does_not_import_tensorflow():
    modules, output = imported_by(["-m", "keras_asymbp.benchmarks.datasets"], "--help")
    assert "keras_asymbp" in modules
    assert not modules & HEAVY
    assert output


def test_the_console_script_does_not_import_tensorflow(run_python):
    run_python(
        "import sys; sys.argv[0] = '/usr/bin/keras-asymbp'\n"
        "import keras_asymbp\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)\n"
    )


def run_module(module, *arguments, folder):
    """The output of `python -m MODULE` in a folder."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_a_user_program_has_the_classes(tmp_path):
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "__init__.py").write_text(
        "import keras\n"
        "from keras_asymbp import AsymDense\n"
        "model = keras.Sequential([keras.Input((2,)), AsymDense(3)])\n"
        "model.save('saved.keras')\n"
    )
    (tmp_path / "lab" / "train.py").write_text(
        "import keras\n"
        "model = keras.models.load_model('saved.keras')\n"
        "model.compile('batch_manhattan')\n"
        "print(type(model.layers[0]).__name__, model.optimizer.name)\n"
    )
    # Our module's name among the arguments doesn't make it our command.
    output = run_module("lab.train", "-m", "keras_asymbp.benchmarks", folder=tmp_path)
    assert output.split() == ["AsymDense", "batch_manhattan"]


def test_a_module_with_a_similar_name_is_not_ours(tmp_path):
    package = tmp_path / "keras_asymbp_benchmarks_mine"
    package.mkdir()
    (package / "__main__.py").touch()
    # Without Keras the classes can't be imported, which ends at once.
    (package / "__init__.py").write_text(
        "import sys\n"
        "sys.modules['keras'] = None\n"
        "try:\n"
        "    import keras_asymbp\n"
        "except ImportError:\n"
        "    print('The classes are wanted.')\n"
    )
    assert run_module(package.name, folder=tmp_path) == "The classes are wanted.\n"


@pytest.mark.parametrize("backend", ["torch", "openvino"])
def test_another_backend_is_refused_in_one_sentence(backend, tmp_path):
    # A stand-in for Keras on a backend that need not be installed here.
    (tmp_path / "keras").mkdir()
    (tmp_path / "keras" / "__init__.py").write_text(
        f"class backend:\n    backend = staticmethod(lambda: {backend!r})\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", "import keras_asymbp"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
        capture_output=True,
        text=True,
        check=False,
    )
    last = done.stderr.splitlines()[-1]
    assert last == (
        "ImportError: keras_asymbp works with the TensorFlow and JAX backends of "
        "Keras: set KERAS_BACKEND=tensorflow or KERAS_BACKEND=jax before Keras is "
        f"imported. Received: {backend}"
    )
