from benchmarks.speed import memory, workloads
from benchmarks.speed.measure import Options


def test_bytes_of_variables_are_counted():
    stock = memory.size(workloads.stock("mnist").variables)
    assert stock == 4 * 431_080
    kernels = 4 * (25 * 20 + 25 * 20 * 50 + 800 * 500 + 500 * 10)
    for rule, expected in {"uSF": 0, "frSF": kernels, "RndF": kernels}.items():
        held = memory.size(workloads.asymmetric("mnist", rule).variables)
        assert held - stock == expected


def test_the_peak_is_more_than_the_variables():
    variables, kernels, peak = memory._measured("timit", "uSF", Options(rounds=1))
    # Weights, momentum and gradients are there at once.
    assert peak > 2.5 * variables > 2.5 * kernels
