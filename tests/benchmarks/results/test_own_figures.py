import pytest

from keras_asymbp.benchmarks.results import checks, own_figures
from keras_asymbp.benchmarks.results.claims import CLAIMS
from keras_asymbp.benchmarks.tables import printed

BY_NAME = {claim.name: claim for claim in CLAIMS}


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_the_papers_own_figures(claim):
    passed, known = own_figures.papers(claim)
    # Table 5 has six data sets, C2 lacks some, the others have all 15; the paper has
    # one training set of each.
    assert known == {"BM": 6, "VI, small": 0}.get(claim.name[:2], known)
    assert known >= 6 or claim.name == "VI, small"
    assert 0 <= passed <= known
    # The margins must fit the paper's own figures.
    if claim.name != "BM, setting 0":
        assert passed >= known / 2


def test_the_papers_figures_by_hand():
    # On TIMIT80 it learns. On SVHN it has 80.41 %, and on MNIST 88.65 %: it answers
    # with the largest class always.
    assert own_figures.papers(BY_NAME["A, uSF"]) == (14, 15)
    # MNIST, SVHN, CIFAR100 and others do not improve: 10 of 15 do.
    assert own_figures.papers(BY_NAME["VI"]) == (10, 15)
    # On every data set the error falls most from 50 to 25 % wrong signs, but on iCub,
    # Flowers17 and SUFR-W-ID it also differs between 100 and 50 %.
    assert own_figures.papers(BY_NAME["B1, shape"]) == (12, 15)


def test_the_drop_of_table_3_in_points():
    drops = sorted(
        printed.error(row, "brSF-50+BN+BM") - printed.error(row, "brSF-25+BN+BM")
        for row in printed.CLASSES
    )
    assert drops[7] == pytest.approx(27.28)


def test_could_fail_by_hand():
    # On MNIST one model of the paper is as bad as guessing: uSF.
    failed, of = own_figures.could_fail(checks.learns("RndF+BN"), "MNIST")
    assert failed == 1
    columns = {c for row, c in printed.figures() if row == "MNIST"}
    # Table 5 has two models by other names, and two Tops are two others.
    columns -= {"BM1", "uSF+BN+BM1", "SGD Top", "RndF+BN+BM Top"}
    assert of == len(columns) - 1
    # BM may be replaced by what is 1.5 times worse than SGD's 0.67, and SGD by what is
    # 1.5 times better than BM's 0.99. The paper's 3 points let much of it pass.
    figures = {c: printed.error("MNIST", c) for c in columns - {"BM", "SGD"}}
    odds = {c: e / (100 - e) for c, e in figures.items()}
    worse = sum(o > 1.5 * 0.67 / 99.33 for o in odds.values())
    better = sum(o < 0.99 / 99.01 / 1.5 for o in odds.values())
    check = checks.no_worse("BM", "SGD")
    assert own_figures.could_fail(check, "MNIST") == (worse + better, 2 * len(figures))
    by_points = own_figures.could_fail(check, "MNIST", own_figures.by_points)
    assert by_points[0] == sum(e > 3.67 for e in figures.values()) < worse


def test_a_model_that_is_printed_twice_has_the_mean_of_its_figures():
    seen = set()

    def scale(share):
        seen.add(round(100 * share, 3))
        return own_figures.by_points(share)

    own_figures.could_fail(checks.learns("BN"), "STL10", scale)
    tops = {printed.error("STL10", name) for name in ("SGD Top", "RndF Top")}
    assert tops == {74.69, 72.44}
    assert not seen & tops
    assert 73.565 in seen


def test_without_a_row_of_the_paper_nothing_could_fail():
    assert own_figures.could_fail(checks.learns("RndF+BN"), None) == (0, 0)


def test_every_row_of_the_paper_has_its_classes():
    assert len(printed.CLASSES) == 15
    assert all(printed.error(row, "SGD") is not None for row in printed.CLASSES)
