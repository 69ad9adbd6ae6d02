import pytest

from keras_asymbp.benchmarks.results.claims import CLAIMS, COLUMNS, ON_MORE
from keras_asymbp.benchmarks.tables.experiments import EXPERIMENTS

BY_NAME = {claim.name: claim for claim in CLAIMS}

# For each claim: exact errors in percent, in the order of its models, with which it
# holds, and with which it does not. A margin is 3 points from 8 to 92 %, and a factor
# of 1.5 in the odds outside. Guessing among ten classes is wrong in 90 %.
WORKED = {
    "I": ([(50, 52.9, 51), (2, 2.9, 2.5)], [(50, 54, 52), (2, 3.2, 2.5)]),
    "II": ([(52, 50, 12, 10), (1, 90, 1, 90)], [(54, 50, 1, 1), (1, 1, 1.6, 1)]),
    "III": (
        [(90, 20, 22, 22), (3.2, 2, 2.9, 2.9)],
        [(22, 20, 20, 20), (90, 20, 24, 20), (90, 20, 20, 24)],
    ),
    "III, together": (
        [(3, 2, 2.1, 9, 8, 60)],
        [(2, 2, 3, 9, 8, 60), (3, 2, 3, 9, 8, 7), (3, 2, 1, 9, 8, 60)],
    ),
    "IV": ([(22, 20, 21, 1)], [(24, 20, 20, 20), (20, 20, 24, 20), (20, 20, 20, 24)]),
    "V, signs": ([(25, 20, 54, 50)], [(22, 20, 60, 50), (60, 50, 22, 20)]),
    "V, chance": ([(89.9,), (1,)], [(90,), (95,)]),
    "VI": ([(3, 2.9)], [(3, 3), (3, 4)]),
    "VI, small": ([(40, 30, 20, 15)], [(20, 15, 40, 30), (20, 20, 20, 20)]),
    "A, uSF": ([(90,), (87.1,)], [(86.9,), (3,)]),
    "A, NuSF": ([(90, 5), (50, 46.9)], [(50, 47.1), (5, 90)]),
    "A, vanishing": ([(50, 46.9), (90, 3)], [(50, 47.1), (3, 6)]),
    # From all signs wrong to none, in pairs of neighbours: each once.
    "B1, order": (
        [(71, 70, 60, 50, 40), (70, 71, 60, 50, 40)],
        [(75, 70, 60, 50, 40), (51, 52, 50.5, 50, 50)],
    ),
    "B1, shape": (
        [(71, 70, 20), (70, 70, 66)],
        [(61, 11, 3.8), (70, 70, 68), (61, 50, 40), (74, 70, 20), (70, 74, 20)],
    ),
    "B2, order": ([(70, 90, 60, 50, 40)], [(40, 40, 40, 40, 40), (5, 6, 7, 8, 9)]),
    "C1, RndF": ([(50, 46.9), (3.1, 2)], [(50, 47.1), (2.9, 2)]),
    "C1, BN": ([(50, 46.9)], [(50, 47.1), (5, 8)]),
    "C1, signs": ([(3, 2.9)], [(3, 3), (2, 3)]),
    "C1, BM": ([(52, 50, 40), (9, 20, 8)], [(54, 50, 40), (9, 9, 9)]),
    "C2, Top": ([(50, 52.9), (52.9, 50)], [(50, 53.1), (1, 1.6)]),
    "C2, co-adaptation": ([(90, 46.9, 50)], [(90, 47.1, 50), (50, 47.1, 90)]),
    "C2, RndF Bottom": ([(86, 7, 90, 7)], [(8, 7, 90, 7), (86, 7, 60, 60)]),
    "C2, uSF Bottom": ([(2, 90), (80, 89)], [(91, 99), (80, 82)]),
    "BM, BP": ([(50, 51, 52.9)], [(50, 51, 53.1), (2, 3.2, 2)]),
    "BM, uSF": ([(50, 51, 52.9)], [(53.1, 51, 50)]),
    "BM, setting 0": (
        [(51, 50, 52, 52.9, 11, 10, 12, 12.9)],
        [(54, 50, 50, 50, 10, 10, 10, 10), (50, 50, 50, 50, 10, 10, 10, 14)],
    ),
}
CASES = [
    (name, errors, expected)
    for name, both in WORKED.items()
    for expected, examples in zip((True, False), both, strict=True)
    for errors in examples
]


def test_every_claim_is_worked_by_hand():
    assert set(WORKED) == set(BY_NAME)
    assert len(BY_NAME) == len(CLAIMS)


def test_every_conclusion_and_experiment_has_a_claim():
    heads = {name.partition(",")[0] for name in BY_NAME}
    assert heads == {"I", "II", "III", "IV", "V", "VI"} | set(EXPERIMENTS)


@pytest.mark.parametrize(("name", "errors", "expected"), CASES)
def test_worked_by_hand(name, errors, expected):
    claim = BY_NAME[name]
    by_model = dict(zip(claim.models, errors, strict=True))
    assert all(check.passes(by_model, 90) for check in claim.checks) is expected


def test_every_model_is_a_column():
    for claim in CLAIMS:
        assert {model.removesuffix(ON_MORE) for model in claim.models} <= set(COLUMNS)


def test_no_claim_is_contained_in_another():
    for claim in CLAIMS:
        for other in CLAIMS:
            assert claim is other or not set(claim.checks) <= set(other.checks)
