import contextlib

from benchmarks.speed import backend, epoch_program
from benchmarks.speed.measure import Options, Result, Taken

NAMES = {"jax": 3.0, "tensorflow": 2.0, "step by step": 4.0, "epoch program": 1.0}


def answer(question, monkeypatch, device="cpu"):
    """The rows of a question, and what its processes were started with."""
    started = []

    def start(*given, **variables):
        started.append((*given, variables))
        return contextlib.nullcontext(lambda: None)

    def interleaved(contestants, rounds):
        taken = {
            name: [Taken(NAMES.get(name, 0.5), 1.0)] * rounds for name in contestants
        }
        return Result(taken, others=0.0)

    monkeypatch.setattr(backend, "start", start)
    monkeypatch.setattr(question, "interleaved", interleaved)
    options = Options(rounds=2, architectures=("mnist",), device=device)
    return list(question.rows(options)), started


def test_jax_is_compared_with_tensorflow(monkeypatch):
    rows, started = answer(backend, monkeypatch)
    ratios = [row["figure"] for row in rows if row["unit"] == "x TensorFlow"]
    assert ratios == [1.5] * 3
    assert started[:2] == [
        ("mnist", "BP", "tensorflow", {}),
        ("mnist", "BP", "jax", {}),
    ]


def test_an_epoch_program_is_compared_with_its_steps(monkeypatch):
    rows, started = answer(epoch_program, monkeypatch)
    ratios = [row["figure"] for row in rows if row["unit"] == "x step by step"]
    assert ratios == [0.25, 0.125] * 2
    assert started[:3] == [
        ("mnist", "uSF", "jax", {}),
        ("mnist", "uSF", "jax", 1, {}),
        ("mnist", "uSF", "jax", 5, {}),
    ]


def test_on_a_gpu_with_tf32_too(monkeypatch):
    rows, started = answer(epoch_program, monkeypatch, device="gpu")
    ratios = [row["figure"] for row in rows if row["unit"] == "x step by step"]
    assert ratios == [0.25, 0.125, 0.125] * 2
    assert started[3][-1] == {"JAX_DEFAULT_MATMUL_PRECISION": "tensorfloat32"}
