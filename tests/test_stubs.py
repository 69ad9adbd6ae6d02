"""Type checkers and editors know the public names, discovered or not."""

import os
import pathlib
import re
import subprocess
import sys

import jedi
import pytest

import keras_asymbp
from keras_asymbp import _stubs

PACKAGE = pathlib.Path(keras_asymbp.__file__).parent
COMMAND = "python -m keras_asymbp._stubs"
# A line with a comment is an error of that kind.
PROGRAM = """
import keras_asymbp
from keras_asymbp import AsymConv2D, AsymDense, AsymmetricLayer  # attr-defined
from keras_asymbp import asymmetrize, feedbacks, layers, metrics, models
dense: layers.AsymmetricLayer = keras_asymbp.AsymDense(512, feedback="uSF", name="a")
AsymConv2D(20, [5, 5], (1, 1), "same", feedback=feedbacks.FixedRandom(0.1))
keras_asymbp.BatchManhattan(5e-4, momentum=0.9, weight_decay=None)
keras_asymbp.BatchNormalization(axis=1)
rule: feedbacks.Feedback = feedbacks.get("brSF-25")
keras_asymbp.Nonsense  # attr-defined
feedbacks.Nonsense  # attr-defined
layers.Nonsense  # attr-defined
metrics.Nonsense  # attr-defined
AsymDense()  # call-arg
AsymDense("512")  # arg-type
AsymDense(512, feeback="uSF")  # call-arg
AsymDense(512, feedback=3)  # arg-type
AsymConv2D(20, "5")  # arg-type
feedbacks.FixedRandom(deviation="0.1", stddev="0.1")  # arg-type
keras_asymbp.BatchManhattan(setting="1")  # arg-type
keras_asymbp.redraw_feedback()  # call-arg
keras_asymbp.models.plain("uSF", depth=4, input_shape=(28, 28, 1)).summary()
keras_asymbp.models.plain(depth="4")  # arg-type
keras_asymbp.models.mlp(include_top=False)  # call-arg
models.Nonsense  # attr-defined
"""


@pytest.mark.parametrize("path", sorted(_stubs.stubs()), ids=lambda p: p.parent.name)
def test_a_stub_has_the_discovered_classes(path):
    written, made = path.read_text(encoding="utf-8"), _stubs.stubs()[path]
    names = re.compile(r"^(?:class|def) (\w+)|import \w+ as (\w+)$", re.MULTILINE)
    assert names.findall(written) == names.findall(made), f"run {COMMAND}"
    if written.partition("\n")[0] == made.partition("\n")[0]:  # the same Keras
        assert written == made, f"run {COMMAND}"


def test_nothing_has_any_name():
    for path in PACKAGE.rglob("*.py*"):
        if path.suffix in (".py", ".pyi"):
            text = path.read_text(encoding="utf-8")
            assert "def __getattr__(name: str) -> Any" not in text, path


@pytest.mark.slow
def test_an_editor_completes_layers_rules_and_arguments():
    def completed(line):
        script = jedi.Script(f"import keras_asymbp\nkeras_asymbp.{line}")
        return {completion.name for completion in script.complete()}

    assert {*keras_asymbp.layers.LAYERS, "asymmetrize"} == completed("Asym")
    assert {*keras_asymbp.feedbacks.RULES} <= completed("feedbacks.")
    (signature,) = jedi.Script(
        "import keras_asymbp\nkeras_asymbp.AsymDense("
    ).get_signatures()
    names = [parameter.name for parameter in signature.params]
    assert names[:2] == ["units", "activation"]
    assert "feedback" in names


@pytest.mark.slow
def test_a_type_checker_finds_wrong_names_and_arguments(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", program.name],
        env=os.environ | {"MYPYPATH": str(PACKAGE.parent)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.findall(r"^program\.py:(\d+): error: .*\[(.*)\]$", done.stdout, re.M)
    lines = PROGRAM.splitlines()
    expected = [
        (str(number), line.partition("  # ")[2])
        for number, line in enumerate(lines, start=1)
        if "  # " in line
    ]
    assert found == expected, done.stdout
