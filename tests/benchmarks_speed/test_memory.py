import pytest

from benchmarks.speed import measure, memory, workloads
from benchmarks.speed.measure import Options


def test_bytes_of_variables_are_counted():
    stock = memory.size(workloads.stock("mnist").variables)
    assert stock == 4 * 431_080
    kernels = 4 * (25 * 20 + 25 * 20 * 50 + 800 * 500 + 500 * 10)
    for rule, expected in {"uSF": 0, "frSF": kernels, "RndF": kernels}.items():
        held = memory.size(workloads.asymmetric("mnist", rule).variables)
        assert held - stock == expected


def test_a_peak_is_compared_with_stock_keras_and_the_kernel(monkeypatch):
    # Variables, kernels, and the peaks of two rounds.
    found = {None: (150, 100, [1000, 1100]), "uSF": (150, 100, [1050, 1050])}
    for rule in ("NuSF", "frSF", "brSF", "RndF"):
        found[rule] = 250, 100, [1150, 1150]
    monkeypatch.setattr(memory, "_alone", lambda name, rule, options: found[rule])
    rows = memory.rows(Options(rounds=2, architectures=("mnist",)))
    figures = {row["name"]: (row["figure"], measure.met(row)) for row in rows}
    assert figures["stock Keras, peak"] == (pytest.approx(0.00105), None)
    assert figures["uSF, variables"] == (0, True)
    assert figures["uSF, peak"] == (1, True)
    assert figures["NuSF, variables"] == (1, False)
    assert figures["NuSF, peak"] == (pytest.approx(1150 / 1050, abs=1e-5), False)
    assert figures["frSF, variables"] == (1, True)
    assert figures["frSF, peak"] == (1, True)


def test_the_peak_is_more_than_the_variables():
    variables, kernels, peaks = memory.measured("timit", "uSF", Options(rounds=2))
    assert len(peaks) == 2
    # Weights, momentum and gradients are there at once.
    assert min(peaks) > 2.5 * variables > 2.5 * kernels
