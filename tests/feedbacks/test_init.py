import json

import keras
import pytest

from keras_asymbp import feedbacks

RULES = {
    "BP": feedbacks.Symmetric,
    "uSF": feedbacks.UniformSignConcordant,
    "NuSF": feedbacks.NormalizedUniformSignConcordant,
    "brSF": feedbacks.BatchwiseRandomSignConcordant,
    "frSF": feedbacks.FixedRandomSignConcordant,
    "RndF": feedbacks.FixedRandom,
    # Beyond the paper.
    "KP": feedbacks.KolenPollack,
    "WM": feedbacks.WeightMirror,
    "PAL": feedbacks.PhaselessAlignment,
    "PFA": feedbacks.ProductFeedbackAlignment,
    "PFA-o": feedbacks.OrthogonalProductFeedbackAlignment,
}


@pytest.mark.parametrize("alias", RULES)
def test_get_accepts_aliases_and_class_names(alias):
    assert type(feedbacks.get(alias)) is RULES[alias]
    assert type(feedbacks.get(RULES[alias].__name__)) is RULES[alias]
    assert feedbacks.get(alias) is not feedbacks.get(alias)


@pytest.mark.parametrize("alias", ["brSF", "frSF"])
@pytest.mark.parametrize("percentage", [0, 7, 25, 50, 75, 100])
def test_get_accepts_a_percentage(alias, percentage):
    rule = feedbacks.get(f"{alias}-{percentage}")
    assert type(rule) is RULES[alias]
    assert rule.flip_probability == percentage / 100
    assert feedbacks.get(alias).flip_probability == 0


def test_get_accepts_none_for_backpropagation():
    assert type(feedbacks.get(None)) is feedbacks.Symmetric


def test_get_returns_a_rule_unchanged():
    rule = feedbacks.FixedRandom()
    assert feedbacks.get(rule) is rule


@pytest.mark.parametrize(
    "unknown",
    [
        "usf",
        "",
        "uSF-25",
        "brSF-101",
        "brSF-0.25",
        "brSF-",
        "brSF-25 ",
        "Feedback",
        "RandomSignConcordant-25",
        3,
        True,
        feedbacks.Symmetric,
        keras.layers.Dense(1),
        keras.saving.serialize_keras_object(keras.layers.Dense(1)),
    ],
    ids=str,
)
def test_get_lists_the_rules_for_an_unknown_name(unknown):
    with pytest.raises(ValueError, match="Unknown feedback rule") as error:
        feedbacks.get(unknown)
    for alias in RULES:
        assert repr(alias) in str(error.value)
    assert "'brSF-25', 'frSF-25'" in str(error.value)
    assert f"Received: {unknown!r}" in str(error.value)


@pytest.mark.parametrize(
    ("rule", "arguments"),
    [
        (feedbacks.Symmetric, {}),
        (feedbacks.UniformSignConcordant, {}),
        (feedbacks.NormalizedUniformSignConcordant, {}),
        (
            feedbacks.BatchwiseRandomSignConcordant,
            {"flip_probability": 0.25, "seed": 5},
        ),
        (feedbacks.FixedRandomSignConcordant, {"flip_probability": 1.0, "seed": None}),
        (feedbacks.FixedRandom, {"stddev": 0.1, "seed": 5}),
        (feedbacks.KolenPollack, {"stddev": 0.1, "seed": 5}),
        (feedbacks.WeightMirror, {"rate": 0.5, "stddev": 0.1, "seed": 5}),
        (feedbacks.PhaselessAlignment, {"rate": 0.5, "samples": 3, "seed": 5}),
        (feedbacks.ProductFeedbackAlignment, {"expansion": 4, "seed": 5}),
        (feedbacks.OrthogonalProductFeedbackAlignment, {"expansion": 2}),
        (feedbacks.InitSignedRandom, {"flip_probability": 0.5, "scale": 2.0}),
    ],
)
def test_config_round_trip(rule, arguments):
    config = feedbacks.serialize(rule(**arguments))
    config = json.loads(json.dumps(config))  # JSON is enough
    assert config["registered_name"] == f"keras_asymbp>{rule.__name__}"
    for made in (feedbacks.deserialize(config), feedbacks.get(config)):
        assert type(made) is rule
        for name, value in arguments.items():
            assert getattr(made, name) == value
        assert feedbacks.serialize(made) == config


def test_get_names_the_rules_for_an_unknown_class_in_a_config():
    class Unknown(feedbacks.Feedback):
        pass

    config = feedbacks.serialize(Unknown())
    with pytest.raises(ValueError, match=r"Unknown .* FixedRandom,.* registered"):
        feedbacks.get(config)


def test_every_rule_is_public():
    for alias, rule in RULES.items():
        assert feedbacks.ALIASES[alias] is rule
        assert rule.__name__ in feedbacks.__all__
    assert set(feedbacks.ALIASES) == set(RULES)


@pytest.mark.parametrize(
    ("unknown", "meant"),
    [
        ("usf", "uSF"),
        ("BRSF-25", "brSF-25"),
        ("frSF_050", "frSF-50"),
        ("fixed_random", "FixedRandom"),
        ("brSF-101", "brSF"),
    ],
)
def test_get_asks_for_near_names(unknown, meant):
    with pytest.raises(ValueError, match=f"Did you mean '{meant}'\\? Expected one of"):
        feedbacks.get(unknown)


@pytest.mark.parametrize("unknown", ["adam", "brSF-" + "9" * 5000])
def test_get_asks_for_no_far_fetched_name(unknown):
    with pytest.raises(ValueError, match=r"Unknown feedback rule\.") as error:
        feedbacks.get(unknown)
    assert "mean" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "call"), [("dfa", r"\(model\)"), ("DRTP", r'\(model, signal="target"\)')]
)
def test_direct_feedback_is_named_in_any_case(name, call):
    with pytest.raises(ValueError, match=f"direct_feedback{call}.*Received: '{name}'"):
        feedbacks.get(name)
