"""Speech-like files in the format of TIMIT."""

import numpy as np
import pytest


def sphere(audio, coding="", byte_format="01"):
    """A NIST SPHERE file with the header of TIMIT's files, without sample_coding."""
    header = (
        "NIST_1A\n   1024\ndatabase_id -s5 TIMIT\ndatabase_version -s3 1.0\n"
        "utterance_id -s8 aaa0_si1\nchannel_count -i 1\n"
        f"sample_count -i {len(audio)}\nsample_rate -i 16000\n"
        f"sample_min -i {audio.min()}\nsample_max -i {audio.max()}\n"
        f"sample_n_bytes -i 2\nsample_byte_format -s2 {byte_format}\n"
        f"sample_sig_bits -i 16\n{coding}end_head\n"
    )
    order = "<i2" if byte_format == "01" else ">i2"
    return header.encode().ljust(1024) + audio.astype(order).tobytes()


def speak(labels, seed=0):
    """int16 audio: each phone has its own three tones, with a little noise."""
    random = np.random.RandomState(seed)
    audio = np.zeros(max(end for _, end, _ in labels))
    for begin, end, phone in labels:
        time = np.arange(begin, end) / 16000
        for hertz in np.random.RandomState(list(phone.encode())).uniform(200, 6000, 3):
            audio[begin:end] += 2000 * np.sin(2 * np.pi * hertz * time)
    return (audio + random.uniform(-100, 100, len(audio))).astype(np.int16)


def write_utterance(folder, name, labels, audio=None, upper=True):
    """Writes the .PHN and the .WAV of a sentence such as "TRAIN/DR1/FAAA0/SI1"."""
    path = folder / (name.upper() if upper else name.lower())
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(f"{begin} {end} {phone}\n" for begin, end, phone in labels)
    audio = speak(labels, seed=list(name.upper().encode())) if audio is None else audio
    for suffix, content in ((".PHN", text.encode()), (".WAV", sphere(audio))):
        suffix = suffix if upper else suffix.lower()
        path.with_name(path.name + suffix).write_bytes(content)


@pytest.fixture(scope="session", name="sphere")
def _sphere():
    return sphere


@pytest.fixture(scope="session", name="speak")
def _speak():
    return speak


@pytest.fixture(scope="session", name="write_utterance")
def _write_utterance():
    return write_utterance
