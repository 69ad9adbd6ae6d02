from benchmarks.speed import step_time, workloads
from benchmarks.speed.measure import Options, Result, Taken


def test_a_row_for_each_rule_and_setting(monkeypatch):
    compared = {}

    def interleaved(contestants, rounds):
        compared.update(contestants)
        taken = {name: [Taken(2.0, 2.0)] * rounds for name in contestants}
        taken["stock"] = [Taken(1.0, 4.0)] * rounds
        return Result(taken, others=0.0)

    monkeypatch.setattr(step_time, "interleaved", interleaved)
    monkeypatch.setitem(workloads.STEPS, "mnist", 1)
    base, *rows = step_time.rows(Options(rounds=3, architectures=("mnist",)))
    assert (base["figure"], base["unit"]) == (1, "s a step")
    assert {row["name"]: row["goal"] for row in rows} == {
        **{"uSF": 1.03, "NuSF": 1.03, "frSF": 1.03, "RndF": 1.03, "brSF": 1.08},
        **{f"Batch Manhattan {setting}": 1.05 for setting in range(4)},
    }
    assert {(row["figure"], row["figure_cpu"], row["rounds"]) for row in rows} == {
        (2, 0.5, 3)
    }
    for setting in range(4):
        optimizer = compared[f"Batch Manhattan {setting}"].model.optimizer
        assert optimizer.setting == setting
        assert optimizer.momentum == 0.9
    assert compared["stock"].model.optimizer.momentum == 0.9
    rules = {
        rule: compared[rule].model.layers[0].feedback.alias for rule in step_time.RULES
    }
    assert rules == {rule: rule for rule in step_time.RULES}
