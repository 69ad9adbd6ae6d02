"""The gallery has a picture of each rule, drawn from what the rule does today."""

import importlib.util
import pathlib
import re

import keras
import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
spec = importlib.util.spec_from_file_location(
    "gallery", ROOT / "docs" / "ext" / "gallery.py"
)
gallery = importlib.util.module_from_spec(spec)
spec.loader.exec_module(gallery)

RULES = gallery.rules()
SOME = ("RndF", "uSF")


def remedy(rule):
    return f"the gallery's picture is not current: run {gallery.COMMAND} {rule}"


def test_every_rule_is_in_the_gallery():
    from keras_asymbp import feedbacks

    assert set(feedbacks.ALIASES) <= set(RULES)
    assert {"frSF-25", "InitSignedRandom"} <= set(RULES)
    assert RULES[0] == "BP"
    extra = set(gallery.stored()) - set(RULES)
    assert not extra, "no longer rules: run " + gallery.COMMAND


@pytest.mark.parametrize("rule", RULES)
def test_a_picture_shows_the_stored_measurements(rule):
    assert rule in gallery.stored(), remedy(rule)
    picture = gallery.picture(rule).read_text(encoding="utf-8")
    assert gallery.digest(gallery.stored()[rule]) in picture, remedy(rule)
    assert len(picture) < 60_000
    # Nothing is loaded from elsewhere: other addresses are names.
    assert not re.search(r"(href|src)=\"(?!#)|@import|url\((?!#)", picture)


@pytest.mark.parametrize(
    "rule",
    [
        rule if rule in SOME else pytest.param(rule, marks=pytest.mark.slow)
        for rule in RULES
    ],
)
def test_the_stored_kernels_are_the_rule_s(rule):
    stored = gallery.stored()[rule]
    for name, values in gallery.kernels(rule).items():
        np.testing.assert_allclose(
            values, stored[name], atol=2e-3, err_msg=remedy(rule)
        )


@pytest.mark.slow
@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="first weights differ"
)
@pytest.mark.parametrize("rule", SOME)
def test_the_stored_angles_are_the_rule_s(rule):
    """Within what rounding makes of them after some hundred updates."""
    stored, again = gallery.stored()[rule], gallery.angles(rule)
    np.testing.assert_allclose(
        again["angle"], stored["angle"], atol=3, err_msg=remedy(rule)
    )
    means = [np.mean(each["gradient_angle"]) for each in (again, stored)]
    assert means[0] == pytest.approx(means[1], abs=8), remedy(rule)


def test_a_new_rule_is_found_and_the_command_named(monkeypatch):
    from keras_asymbp import feedbacks

    class Doubled(feedbacks.Feedback):
        """Twice the weights: `V = 2 W`."""

        alias = "2W"

        def call(self, kernel):
            return 2 * kernel

    monkeypatch.setitem(feedbacks.RULES, "Doubled", Doubled)
    monkeypatch.setitem(feedbacks.ALIASES, "2W", Doubled)
    assert "2W" in gallery.rules()
    with pytest.raises(ValueError, match=r"2W has no picture.*gallery\.py 2W"):
        gallery.on_page_markdown("<!-- every rule -->")
    measured = gallery.kernels("2W")
    np.testing.assert_allclose(measured["v"], 2 * np.array(measured["w"]), atol=2e-4)


def test_the_page_has_an_entry_for_each_rule():
    page = gallery.on_page_markdown(
        (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8")
    )
    assert "<!--" not in page
    for rule in RULES:
        assert f"\n## {rule}\n" in page
        assert f"](pictures/gallery-{rule}.svg)" in page
    assert gallery.on_page_markdown("# Design") == "# Design"
