import re

import pytest

import keras_asymbp


def test_what_is_public_is_there():
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


@pytest.mark.parametrize("program", ["-m", "/usr/bin/keras-asymbp"])
def test_the_command_s_import_leaves_tensorflow_out(program, run_python):
    # The command line must answer --help at once; TensorFlow takes seconds.
    run_python(
        f"import sys; sys.argv[0] = {program!r}\n"
        "import keras_asymbp\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)\n"
    )
