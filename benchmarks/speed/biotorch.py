"""A training step by `fit` against BioTorch's layers in a bare PyTorch loop.

BioTorch has its own virtual environment, created at the first use, and its own process,
which trains for one round for each line of its input.
"""

import json
import pathlib
import subprocess
import sys
from collections.abc import Iterator

import keras

from benchmarks.speed import workloads
from benchmarks.speed.measure import Options, interleaved
from benchmarks.speed.peer import Peer
from keras_asymbp.benchmarks import environment
from keras_asymbp.benchmarks.errors import UsageError

TITLE = "BioTorch 0.0.16's step time against ours"
RULES = ("uSF", "frSF", "brSF")
ARCHITECTURES = ("mnist", "cifar")
GOAL = 1.25
_HERE = pathlib.Path(__file__).parent
# PyTorch with its dependencies, BioTorch without: its layers need only PyTorch.
_INSTALLATIONS = (
    ("-r", _HERE / "requirements-torch.txt"),
    ("--no-deps", "-r", _HERE / "requirements-biotorch.txt"),
)


def rows(options: Options) -> Iterator[dict]:
    """A row for each network and rule."""
    if options.device == "gpu":
        return  # BioTorch is measured on the CPU alone
    python = installed(pathlib.Path(options.biotorch_env).expanduser())
    for name in (name for name in options.architectures if name in ARCHITECTURES):
        data = workloads.examples(name, workloads.STEPS[name] * workloads.BATCH)
        for rule in RULES:
            model = workloads.asymmetric(name, rule)
            fit = workloads.Fit(model, workloads.sgd(), data, options)
            described = json.dumps(specification(model, rule, fit.steps))
            command = [python, "-P", _HERE / "biotorch_steps.py", described]
            with Peer("BioTorch", command, fit.steps) as peer:
                contestants = {"BioTorch": peer, "keras_asymbp": fit}
                result = interleaved(contestants, options.rounds)
            case = f"{name}, {rule}"
            yield from result.times(case)
            yield result.row(
                result.ratios("BioTorch", "keras_asymbp"),
                case=case,
                name="BioTorch / keras_asymbp",
                unit="x ours",
                goal=GOAL,
                sense="at least",
            )


def specification(model: keras.Model, rule: str, steps: int) -> dict:
    """A model, described for `biotorch_steps.py`."""
    return {
        "layers": [_layer(layer) for layer in model.layers],
        "rule": rule.lower(),
        "input_shape": model.input_shape[1:],
        "classes": model.output_shape[-1],
        "batch": workloads.BATCH,
        "steps": steps,
        "rate": workloads.RATE,
        "threads": environment.describe()["machine"]["threads"],
    }


def _layer(layer):
    match layer:
        case keras.layers.Conv2D():
            size, (stride, _) = layer.kernel_size[0], layer.strides
            padding = size // 2 if layer.padding == "same" else 0
            channels = layer.kernel.shape[2]
            return ["conv", channels, layer.filters, size, stride, padding]
        case keras.layers.Dense():
            return ["dense", layer.kernel.shape[0], layer.units]
        case keras.layers.MaxPooling2D() | keras.layers.AveragePooling2D():
            kind = "max" if isinstance(layer, keras.layers.MaxPooling2D) else "average"
            same = layer.padding == "same"
            return [kind, layer.pool_size[0], layer.strides[0], same]
        case keras.layers.ReLU():
            return ["relu"]
        case keras.layers.Flatten():
            return ["flatten"]
    raise NotImplementedError(f"no PyTorch layer for {type(layer).__name__}")


def installed(folder: pathlib.Path) -> pathlib.Path:
    """The Python of an environment with BioTorch, created if missing."""
    python = folder / "bin" / "python"
    files = [arguments[-1] for arguments in _INSTALLATIONS]
    wanted = "".join(file.read_text(encoding="utf-8") for file in files)
    # Written last, so that an unfinished environment is made again.
    note = folder / "installed.txt"
    if note.is_file() and note.read_text(encoding="utf-8") == wanted:
        return python
    print(f"installing BioTorch into {folder}", file=sys.stderr)
    commands: list[list] = [[sys.executable, "-m", "venv", "--clear", folder]]
    for arguments in _INSTALLATIONS:
        commands.append([python, "-m", "pip", "install", "-q", *arguments])
    for command in commands:
        # Progress does not belong in our output.
        if subprocess.run(command, stdout=sys.stderr, check=False).returncode:
            raise UsageError(f"BioTorch can't be installed into {folder}: see above")
    note.write_text(wanted, encoding="utf-8")
    return python
