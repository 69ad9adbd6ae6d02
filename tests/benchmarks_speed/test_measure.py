import time

import pytest

from benchmarks.speed import measure
from benchmarks.speed.measure import Result, Taken


def test_contestants_take_turns_and_the_order_is_reversed_each_round():
    calls = []
    contestants = {name: lambda name=name: calls.append(name) for name in "ABC"}
    result = measure.interleaved(contestants, rounds=3)
    # The first three aren't measured.
    assert "".join(calls) == "ABC" + "ABC" + "CBA" + "ABC"
    assert result.rounds == 3
    assert {name: len(taken) for name, taken in result.taken.items()} == {
        "A": 3,
        "B": 3,
        "C": 3,
    }


def test_what_a_contestant_timed_itself_counts():
    own = Taken(wall=5.0, cpu=7.0)
    result = measure.interleaved({"A": lambda: own, "B": lambda: None}, rounds=1)
    assert result.taken["A"] == [own]
    assert 0 < result.taken["B"][0].wall < 5


def test_the_clock_and_processor_time_are_told_apart():
    whole, own = measure.timed(lambda: time.sleep(0.05))
    assert whole == own
    assert whole.cpu < 0.05 <= whole.wall


def test_what_the_contestants_use_is_not_others_work(monkeypatch):
    # All cores have been busy for a second more at each look.
    busy = iter(range(100))
    monkeypatch.setattr(measure, "busy_seconds", lambda: float(next(busy)))
    monkeypatch.setattr(
        measure,
        "timed",
        lambda call: (Taken(2.0, 0.25), Taken(1.0, 0.1, elsewhere=0.5)),
    )
    result = measure.interleaved({"A": int, "B": int}, rounds=1)
    assert result.others == pytest.approx((1 - 0.25 - 0.5) / 2)


def test_the_ratio_is_of_each_round_and_then_the_median():
    # The ratio of the medians would be 3 / 2.
    result = Result(
        {
            "A": [Taken(1, 10), Taken(3, 10), Taken(8, 10)],
            "B": [Taken(1, 2), Taken(2, 4), Taken(2, 5)],
        },
        others=0.125,
    )
    assert result.ratios("A", "B") == ([1, 1.5, 4], [5, 2.5, 2])
    row = result.row(result.ratios("A", "B"), case="c", goal=1.5, sense="at most")
    assert row == {
        "figure": 1.5,
        "figure_cpu": 2.5,
        "low": 1,
        "high": 4,
        "rounds": 3,
        "others": 0.125,
        "case": "c",
        "goal": 1.5,
        "sense": "at most",
    }
    assert result.seconds("B") == ([1, 2, 2], [2, 4, 5])
    assert result.differences("A", "B") == ([0, 1, 6], [8, 6, 5])


@pytest.mark.parametrize(
    ("figure", "goal", "sense", "expected"),
    [
        (1.03, 1.03, "at most", True),
        (1.031, 1.03, "at most", False),
        (1.25, 1.25, "at least", True),
        (1.24, 1.25, "at least", False),
        (0, 0, "at most", True),
        (5, None, "at most", None),
    ],
)
def test_a_goal_is_met_at_the_goal(figure, goal, sense, expected):
    assert measure.met({"figure": figure, "goal": goal, "sense": sense}) is expected


def test_a_row_without_a_goal_meets_none():
    assert measure.met(measure.row(1.0, name="a")) is None
