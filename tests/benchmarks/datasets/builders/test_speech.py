import itertools

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from keras_asymbp.benchmarks.datasets.builders import _speech

PROPERTY = hypothesis.settings(max_examples=50, deadline=None)


def noise(samples, seed=0, level=1000):
    return np.random.default_rng(seed).normal(0, level, samples)


def mel(hertz):
    """HTK's mel scale, as documented in tf.signal.linear_to_mel_weight_matrix."""
    return 2595 * np.log10(1 + hertz / 700)


# The corners of the 40 triangles: triangle m has its peak at EDGES[m + 1].
EDGES = np.linspace(mel(0), mel(8000), 42)


def mel_triangle(hertz, m):
    """The weight of filter m: a triangle of height 1 on the mel scale."""
    left, peak, right = EDGES[m : m + 3]
    return np.interp(mel(hertz), [left, peak, right], [0, 1, 0])


def log_energies_by_definition(audio):
    bins = np.arange(257) * 16000 / 512
    window = 0.54 - 0.46 * np.cos(2 * np.pi * np.arange(400) / 400)
    rows = []
    for start in range(0, len(audio) - 399, 160):
        frame = audio[start : start + 400]
        power = np.abs(np.fft.rfft(frame * window, 512)) ** 2
        energies = [
            sum(
                mel_triangle(hertz, m) * p for hertz, p in zip(bins, power, strict=True)
            )
            for m in range(40)
        ]
        rows.append(np.log(np.maximum([*energies, np.sum(frame**2)], 1)))
    return np.array(rows)


def differences_by_definition(values):
    def at(t):
        return values[min(max(t, 0), len(values) - 1)]

    return np.array(
        [
            (at(t + 1) - at(t - 1) + 2 * (at(t + 2) - at(t - 2))) / 10
            for t in range(len(values))
        ]
    )


@PROPERTY
@hypothesis.given(st.integers(400, 3000))
def test_a_row_for_every_whole_frame(samples):
    frames = _speech.features(noise(samples))
    assert frames.shape == (len(range(0, samples - 399, 160)), 123)
    assert len(frames) == _speech.count_frames(samples)
    assert frames.dtype == np.float32


@pytest.mark.parametrize(
    ("samples", "frames"), [(0, 0), (399, 0), (400, 1), (559, 1), (560, 2), (16000, 98)]
)
def test_count_frames(samples, frames):
    assert _speech.count_frames(samples) == frames


@pytest.mark.parametrize("shape", [(0,), (399,), (1000, 2)])
def test_audio_shorter_than_a_frame_is_refused(shape):
    with pytest.raises(ValueError, match=r"Expected.*400.*Received"):
        _speech.features(np.zeros(shape))


def test_log_energies_match_their_definition():
    audio = noise(1500) + 3000 * np.sin(np.arange(1500) / 5)
    np.testing.assert_allclose(
        _speech.log_energies(audio), log_energies_by_definition(audio), rtol=1e-4
    )


@pytest.mark.parametrize("m", [0, 1, 5, 17, 30, 39])
def test_a_tone_is_in_its_mel_filter(m):
    hertz = 700 * (10 ** (EDGES[m + 1] / 2595) - 1)
    tone = 5000 * np.sin(2 * np.pi * hertz * np.arange(4000) / 16000)
    energies = _speech.log_energies(tone)[:, :40]
    np.testing.assert_array_equal(energies.argmax(axis=1), m)


def test_energy_of_a_frame():
    tone = 5000 * np.sin(2 * np.pi * 400 * np.arange(4000) / 16000)
    energies = _speech.log_energies(tone)[:, 40]
    np.testing.assert_allclose(energies, np.log(400 * 5000**2 / 2), rtol=1e-5)


def test_twice_the_amplitude():
    once, twice = (_speech.features(noise(4000, level=level)) for level in (500, 1000))
    np.testing.assert_allclose(twice[:, :41] - once[:, :41], 2 * np.log(2), atol=1e-4)
    np.testing.assert_allclose(twice[:, 41:], once[:, 41:], atol=1e-4)


def test_silence_is_zero():
    np.testing.assert_array_equal(_speech.features(np.zeros(4000)), 0)


def test_rounding_noise_is_above_the_floor():
    audio = np.round(noise(16000, level=0.5))
    assert _speech.log_energies(audio).min() > 0


def test_16_bit_samples_are_not_rescaled():
    audio = noise(2000).astype(np.int16)
    np.testing.assert_array_equal(
        _speech.features(audio), _speech.features(audio.astype(np.float64))
    )


def test_ten_milliseconds_are_one_frame():
    audio = noise(4000)
    np.testing.assert_allclose(
        _speech.log_energies(audio[160:]), _speech.log_energies(audio)[1:], atol=1e-4
    )


def test_order_of_the_features():
    audio = noise(4000)
    energies = log_energies_by_definition(audio)
    first = differences_by_definition(energies)
    second = differences_by_definition(first)
    np.testing.assert_allclose(
        _speech.features(audio), np.hstack([energies, first, second]), atol=1e-3
    )


def test_differences_of_a_ramp():
    ramp = np.outer(np.arange(12.0), [3, -0.5])
    first = _speech.differences(ramp)
    np.testing.assert_allclose(first[2:-2], [[3, -0.5]] * 8)
    np.testing.assert_allclose(_speech.differences(first)[4:-4], 0, atol=1e-12)
    # The first frame is repeated: (1 (3 - 0) + 2 (6 - 0)) / 10, then likewise.
    np.testing.assert_allclose(first[:2, 0], [1.5, 2.4])


@PROPERTY
@hypothesis.given(st.integers(1, 12), st.integers(1, 3))
def test_differences_are_the_regression_slopes(frames, columns):
    values = noise((frames, columns), frames)
    np.testing.assert_allclose(
        _speech.differences(values), differences_by_definition(values), atol=1e-9
    )


def test_differences_of_another_width():
    values = noise((9, 1))
    padded = np.concatenate([values[:1], values[:1], values[:1], values])[:, 0]
    slope = np.polyfit(np.arange(-3, 4), padded[:7], 1)[0]
    assert _speech.differences(values, width=3)[0, 0] == pytest.approx(slope)


@pytest.mark.parametrize(
    ("centre", "rows"),
    [
        (10, [*range(3, 18)]),
        (7, [*range(15)]),
        (0, [0] * 8 + [1, 2, 3, 4, 5, 6, 7]),
        (2, [0] * 6 + [*range(1, 10)]),
        (19, [12, 13, 14, 15, 16, 17, 18] + [19] * 8),
    ],
)
def test_context(centre, rows):
    numbered = np.arange(20 * 123, dtype=np.float32).reshape(20, 123)
    context = _speech.with_context(numbered, centre)
    assert context.shape == (1845,)
    np.testing.assert_array_equal(
        context.reshape(15, 123), [np.arange(123) + 123 * row for row in rows]
    )


def test_context_is_wider_than_the_audio():
    context = _speech.with_context(np.array([[1.0], [2.0], [3.0]]), 1)
    np.testing.assert_array_equal(context, [1] * 7 + [2] + [3] * 7)


@PROPERTY
@hypothesis.given(st.lists(st.integers(0, 5000), min_size=2, max_size=9))
def test_adjacent_segments_have_each_frame_once(marks):
    marks = sorted(marks)
    found = []
    for begin, end in itertools.pairwise(marks):
        segment = _speech.frames_between(begin, end)
        assert all(begin <= 160 * t + 200 < end for t in segment)
        found += segment
    assert found == [t for t in range(40) if marks[0] <= 160 * t + 200 < marks[-1]]
