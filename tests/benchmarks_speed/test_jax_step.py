import json

import pytest

pytestmark = pytest.mark.slow

_PROGRAM = """if True:
    import os, runpy
    os.environ["KERAS_BACKEND"] = "jax"
    runpy.run_module("benchmarks.jax_step", run_name="__main__", alter_sys=True)
"""


def test_it_measures_a_rule_beside_stock_keras(run_python, tmp_path):
    path = tmp_path / "figures.json"
    arguments = ["--rounds=1", "--steps=2", "--network=mnist", "--rule=brSF"]
    printed = run_python(_PROGRAM, arguments=[*arguments, f"--json={path}"])
    assert printed == path.read_text(encoding="utf-8")
    figures = json.loads(printed)
    assert figures["versions"]["jax"]
    assert figures["rounds"] == 1
    assert all(figures["equal_bits"].values())
    assert len(figures["equal_bits"]) > 10
    ratios = figures["mnist"]["ratio"]
    assert len(ratios) == 4
    assert ratios["step stock"] == ratios["scan stock"] == 1
