import json

import pytest

pytestmark = pytest.mark.slow


def test_it_measures_a_rule_beside_stock_keras(run_python, tmp_path):
    path = tmp_path / "figures.json"
    code = f"""if True:
        import os
        os.environ["KERAS_BACKEND"] = "jax"
        from absl import app
        from benchmarks import jax_step
        arguments = "--rounds=1 --steps=2 --network=mnist --rule=brSF"
        arguments += " --json={path}"
        app.run(jax_step.main, ["jax_step", *arguments.split()])
    """
    run_python(code)
    figures = json.loads(path.read_text())
    assert all(figures["equal_bits"].values())
    assert len(figures["equal_bits"]) > 10
    ratios = figures["mnist"]["ratio"]
    assert len(ratios) == 4
    assert ratios["step stock"] == ratios["scan stock"] == 1
