from benchmarks.speed import suite_steps, workloads


def test_a_round_is_the_epochs_after_the_first(monkeypatch):
    monkeypatch.setitem(workloads.STEPS, "timit", 2)
    rounds = suite_steps.Rounds("timit", "uSF")
    seen = []
    times = iter([(1.0, 0.5), (2.0, 1.0), (3.0, 2.0), (5.0, 4.5)])

    class Clock(suite_steps.Observer):
        def __init__(self):
            self.times = []

        def epoch(self, row):
            seen.append(row["epoch"])
            self.times.append(next(times))

    monkeypatch.setattr(suite_steps, "_Clock", Clock)
    assert rounds() == (4.0, 4.0)
    assert seen == [1, 2, 3, 4]
