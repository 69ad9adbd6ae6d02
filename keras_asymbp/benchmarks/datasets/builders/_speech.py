"""Log-mel features of speech: 123 per frame, 1845 with the frames around it.

Frames are 25 ms long and start every 10 ms. The 123 features are the
logarithms of the energies in 40 mel filters and of the energy of the frame, then the
first and the second differences of these 41, as in Graves, Mohamed and Hinton (2013),
Speech Recognition with Deep Recurrent Neural Networks, section 5,
https://arxiv.org/abs/1303.5778. Table 1 of the paper only says that there are 1845
inputs: taking them as 15 such frames is our reading.
"""

import functools

import numpy as np
import tensorflow as tf

SAMPLE_RATE = 16_000  # Hz
FRAME_LENGTH = 400  # samples: 25 ms
FRAME_STEP = 160  # samples: 10 ms
MEL_FILTERS = 40
FEATURES = 3 * (MEL_FILTERS + 1)
CONTEXT = 15  # frames
INPUTS = CONTEXT * FEATURES

_FFT_LENGTH = 512


def count_frames(samples: int) -> int:
    """Number of whole frames in a number of samples."""
    return max(0, 1 + (samples - FRAME_LENGTH) // FRAME_STEP)


def frames_between(begin: int, end: int) -> range:
    """The frames whose middle is one of the samples `begin` to `end - 1`.

    Frame t has the samples 160 t to 160 t + 399, and its middle is sample 160 t + 200:
    adjacent segments share no frame and miss none.

    >>> frames_between(1000, 2000)  # middles: samples 1000, 1160, ..., 1960
    range(5, 12)
    """

    def first(sample):
        return max(0, -((FRAME_LENGTH // 2 - sample) // FRAME_STEP))

    return range(first(begin), first(end))


def features(audio: np.ndarray) -> np.ndarray:
    """The features of each frame.

    Args:
        audio: Samples (n,) at 16 kHz, on the 16-bit scale of -32768 to 32767.

    Returns:
        float32 (frames, 123): 40 log-mel energies and the log energy of the frame,
        their 41 first differences, their 41 second differences.

    Raises:
        ValueError: If the audio is shorter than a frame, or not a vector.
    """
    if np.ndim(audio) != 1 or len(audio) < FRAME_LENGTH:
        raise ValueError(
            f"Expected: audio of shape (n,) with n >= {FRAME_LENGTH}. "
            f"Received: shape {np.shape(audio)}"
        )
    energies = log_energies(audio)
    first = differences(energies)
    return np.concatenate([energies, first, differences(first)], axis=1)


def log_energies(audio: np.ndarray) -> np.ndarray:
    """Natural logarithms of the energies in the mel filters and of the frame.

    With s the 400 samples of a frame, w a Hamming window and a[k, m] the weights of
    `tf.signal.linear_to_mel_weight_matrix` (triangles of height 1, evenly spaced from 0
    to 8000 Hz on HTK's mel scale), the 41 values of a frame are

        log max(1, sum_k a[k, m] |DFT_512(w s)[k]|^2)   for the filters m = 1, ..., 40
        log max(1, sum_n s[n]^2)                        without the window

    The floor of 1, which HTK uses too, makes digital silence 0. It is below the energy
    that rounding to 16 bits alone leaves in a filter.

    Args:
        audio: Samples (n,) at 16 kHz, on the 16-bit scale.

    Returns:
        float32 (frames, 41).
    """
    samples = tf.convert_to_tensor(audio, tf.float32)
    spectrum = tf.signal.stft(
        samples,
        frame_length=FRAME_LENGTH,
        frame_step=FRAME_STEP,
        fft_length=_FFT_LENGTH,
        window_fn=tf.signal.hamming_window,
    )
    mel = tf.square(tf.abs(spectrum)) @ _mel_weights()
    frames = tf.signal.frame(samples, FRAME_LENGTH, FRAME_STEP)
    frame = tf.reduce_sum(tf.square(frames), axis=1, keepdims=True)
    return tf.math.log(tf.maximum(tf.concat([mel, frame], axis=1), 1.0)).numpy()


@functools.cache
def _mel_weights() -> np.ndarray:
    return tf.signal.linear_to_mel_weight_matrix(
        num_mel_bins=MEL_FILTERS,
        num_spectrogram_bins=_FFT_LENGTH // 2 + 1,
        sample_rate=SAMPLE_RATE,
        lower_edge_hertz=0.0,
        upper_edge_hertz=SAMPLE_RATE / 2,
    ).numpy()


def differences(values: np.ndarray, width: int = 2) -> np.ndarray:
    """The slopes of values over time, by regression.

        d[t] = sum_k k (c[t + k] - c[t - k]) / (2 sum_k k^2),   k = 1, ..., width

    The first and the last frame are repeated beyond the ends. This is HTK's formula for
    delta coefficients, with its default window (The HTK Book, "Delta and Acceleration
    Coefficients").

    Args:
        values: (frames, n).
        width: Number of frames on each side that enter.

    Returns:
        The same shape and dtype: the change of each value in one frame.
    """
    padded = np.pad(values, ((width, width), (0, 0)), mode="edge")
    slopes = np.zeros_like(values)
    for k in range(1, width + 1):
        later, earlier = (padded[width + shift :][: len(values)] for shift in (k, -k))
        slopes += k * (later - earlier)
    return slopes / (2 * sum(k * k for k in range(1, width + 1)))


def with_context(frames: np.ndarray, centre: int) -> np.ndarray:
    """A frame and the 7 on each side of it, in time order, as one vector.

    The first and the last frame are repeated beyond the ends.

    Args:
        frames: (frames, 123).
        centre: Index of the frame in the middle.

    Returns:
        (1845,): the features of the first of the 15 frames, of the second, and so on.
    """
    around = np.arange(centre - CONTEXT // 2, centre + CONTEXT // 2 + 1)
    return frames[around.clip(0, len(frames) - 1)].ravel()
