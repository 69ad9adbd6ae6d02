import numpy as np
import pytest

from keras_asymbp import feedbacks

RULES = [
    feedbacks.FixedRandomSignConcordant,
    feedbacks.BatchwiseRandomSignConcordant,
]
LARGE = np.random.default_rng(0).normal(size=(120, 100))


@pytest.fixture(params=RULES)
def rule(request):
    return request.param


@pytest.mark.parametrize("p", [0, 0.25, 1])
def test_v_is_m_times_sign_times_flips(
    rule, p, make_layer, backward_kernel, draw_factor
):
    layer = make_layer(rule(flip_probability=p, seed=11), LARGE)
    v = np.sign(LARGE) * draw_factor(LARGE.shape, seed=11, flip_probability=p)
    np.testing.assert_array_equal(layer.feedback_kernel, v)
    np.testing.assert_array_equal(backward_kernel(layer), v)


@pytest.mark.parametrize(
    ("suffix", "p"), [("", 0), ("-0", 0), ("-25", 0.25), ("-50", 0.5), ("-100", 1)]
)
def test_a_name_sets_the_share_of_opposite_signs(rule, suffix, p, make_layer):
    layer = make_layer(rule.alias + suffix, LARGE)
    opposite = np.sign(layer.feedback_kernel) == -np.sign(LARGE)
    # 12000 weights: 5 standard deviations are 0.02 at p = 0.25.
    assert opposite.mean() == pytest.approx(p, abs=0.025 if 0 < p < 1 else 1e-3)


def test_m_is_independent_of_the_initializer_of_w(rule):
    from keras_asymbp import AsymDense

    for seed in (None, 4):  # one stream for both would turn frSF into BP
        layer = AsymDense(
            100,
            kernel_initializer={
                "class_name": "RandomUniform",
                "config": {"seed": seed},
            },
            feedback=rule(seed=seed),
        )
        layer.build((None, 120))
        m = np.abs(layer.feedback_kernel).ravel()
        w = layer.kernel.numpy().ravel()
        assert abs(np.corrcoef(m, w)[0, 1]) < 0.05
        assert abs(np.corrcoef(m, np.abs(w))[0, 1]) < 0.05


def test_zero_weights_send_no_error_back(rule, make_layer):
    v = make_layer(rule(flip_probability=0.5), np.zeros((4, 5))).feedback_kernel
    np.testing.assert_array_equal(v, np.zeros((4, 5)))


@pytest.mark.parametrize("p", [-0.01, 1.01, 25, float("nan"), "0.25", None])
def test_refuses_an_invalid_probability(rule, p):
    with pytest.raises(ValueError, match=r"`flip_probability` must be .*\[0, 1\]"):
        rule(flip_probability=p)


@pytest.mark.parametrize("seed", [-1, 2**31, 0.5])
def test_refuses_an_invalid_seed(rule, seed):
    with pytest.raises(ValueError, match="`seed` must be None or an integer"):
        rule(seed=seed)
