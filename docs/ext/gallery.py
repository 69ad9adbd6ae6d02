"""Pictures of each rule's behaviour, for the gallery page.

`python docs/ext/gallery.py` measures all rules and draws `docs/pictures/gallery-*.svg`;
`python docs/ext/gallery.py frSF` does one. The measurements are stored beside them, in
`gallery.json`. On the page, `<!-- every rule -->` becomes an entry for each rule, as
the package finds them: a new rule needs its file and this command.
"""

import hashlib
import json
import pathlib
import sys

import keras
import matplotlib
import numpy as np
from matplotlib.figure import Figure

import keras_asymbp
from keras_asymbp import feedbacks, metrics, models
from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.pictures.looks import COLORS, OTHER_RULES

PICTURES = pathlib.Path(__file__).parents[1] / "pictures"
DATA = PICTURES / "gallery.json"
COMMAND = "python docs/ext/gallery.py"
_MARK = "<!-- every rule -->"
_POINTS = 10  # inputs and outputs of the layer whose V is shown
_EPOCHS = 8


def on_page_markdown(markdown, **kwargs):
    """Called by MkDocs with the text of each page."""
    if _MARK not in markdown:
        return markdown
    return markdown.replace(_MARK, "\n".join(map(_entry, rules())))


def rules():
    """The strings of all rules: the control first, then by name; partial ones too."""
    known = feedbacks.RULES.values()
    used = [rule for rule in known if rule.alias or not _is_base(rule)]
    used.sort(key=lambda rule: (not rule.symmetric, _name(rule).lower()))
    return [name for rule in used for name in _names(rule)]


def _is_base(rule):
    return any(other.__base__ is rule for other in feedbacks.RULES.values())


def _name(rule):
    return rule.alias or rule.__name__


def _names(rule):
    partial = rule.alias and issubclass(rule, feedbacks.RULES["RandomSignConcordant"])
    return [_name(rule), f"{rule.alias}-25"] if partial else [_name(rule)]


def picture(rule):
    """The file of a rule's picture."""
    return PICTURES / f"gallery-{rule}.svg"


def kernels(rule):
    """W and V of a layer, and V after an update of W by gradient descent.

    Args:
        rule: The rule's string.

    Returns:
        Lists of numbers by "w", "v", and "after".
    """
    keras.utils.set_random_seed(0)
    random = np.random.default_rng(0)
    layer = keras_asymbp.AsymDense(_POINTS, feedback=rule)
    model = keras.Sequential([keras.Input((_POINTS,)), layer])
    layer.kernel.assign(random.normal(scale=0.3, size=(_POINTS, _POINTS)))
    model.compile(keras.optimizers.SGD(0.5), "mse", run_eagerly=True)
    x, y = random.normal(size=(2, 64, _POINTS)).astype("float32")
    w, v = (_rounded(each) for each in (layer.kernel, layer.feedback_kernel))
    callbacks = [keras_asymbp.RedrawFeedback(), keras_asymbp.MirrorFeedback(20)]
    model.fit(x, y, batch_size=64, shuffle=False, callbacks=callbacks, verbose=0)
    return {"w": w, "v": v, "after": _rounded(layer.feedback_kernel)}


def angles(rule):
    """The angles of a network's lowest layer after each epoch, in degrees.

    Args:
        rule: The rule's string.

    Returns:
        Lists by "angle", of V to W, and "gradient_angle", to backpropagation's.
    """
    digits = datasets.get("mnist_5k").load()
    x, y = digits.x_train[:500] / 255, digits.y_train[:500]
    model = models.mlp(
        rule,
        input_shape=(28, 28, 1),
        hidden_units=(32, 32),
        normalization="BN",
        classifier_activation=None,
        seed=0,
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.1), loss)
    monitor = keras_asymbp.AlignmentMonitor(batches=[(x[:100], y[:100])])
    keras.utils.set_random_seed(0)
    model.fit(
        x,
        y,
        batch_size=25,
        epochs=_EPOCHS,
        callbacks=[
            keras_asymbp.RedrawFeedback(),
            keras_asymbp.MirrorFeedback(),
            monitor,
        ],
        verbose=0,
    )
    return {
        quantity: np.round(
            next(v for k, v in monitor.history.items() if k.endswith(f"/{quantity}")), 1
        ).tolist()
        for quantity in ("angle", "gradient_angle")
    }


def _rounded(tensor):
    values = np.round(keras.ops.convert_to_numpy(tensor).ravel().astype("float64"), 4)
    return (values + 0.0).tolist()  # no negative zeros


def stored():
    """The measurements of each rule by its string."""
    return json.loads(DATA.read_text(encoding="utf-8"))


def digest(measured):
    """Identifies the measurements that a picture shows."""
    return hashlib.sha256(json.dumps(measured).encode()).hexdigest()[:16]


def draw(rule, measured):
    """A rule's picture: V against W, V after an update, alignment in training."""
    color = COLORS.get(rule.partition("-")[0], OTHER_RULES)
    with matplotlib.rc_context(
        {"font.size": 9, "axes.grid": True, "grid.color": "0.9"}
    ):
        figure = Figure(figsize=(8.4, 2.7), layout="constrained", facecolor="white")
        now, after, training = figure.subplots(1, 3)
    points = {"linestyle": "none", "marker": "o", "markersize": 3, "color": color}
    for panel in (now, after):
        panel.axline((0, 0), slope=1, color="0.75", linewidth=1, zorder=0)
        panel.axhline(0, color="0.5", linewidth=0.8)
    now.axvline(0, color="0.5", linewidth=0.8)
    now.plot(measured["w"], measured["v"], **points)
    now.set(title="V of each weight", xlabel="W", ylabel="V")
    after.plot(measured["v"], measured["after"], **points)
    after.set(title="after one update of W", xlabel="V before", ylabel="V after")
    epochs = range(1, _EPOCHS + 1)
    training.plot(epochs, measured["angle"], "--", color=color, label="V to W")
    training.plot(
        epochs, measured["gradient_angle"], color=color, label="gradient to BP's"
    )
    training.axhline(90, color="0.5", linewidth=0.8)
    training.set(title="lowest layer in training", xlabel="epoch", ylabel="degrees")
    training.set(ylim=(-4, 100), yticks=(0, 30, 60, 90))
    training.legend(fontsize=8, loc="best")
    return figure


def save(rule, measured):
    """Draws a rule's picture into its file."""
    with matplotlib.rc_context({"svg.hashsalt": rule, "svg.fonttype": "none"}):
        draw(rule, measured).savefig(
            picture(rule), metadata={"Date": None, "Description": digest(measured)}
        )


def _entry(rule):
    """The gallery's entry of a rule: its class, a line about it, its picture."""
    made = type(feedbacks.get(rule))
    measured = stored().get(rule)
    if measured is None:
        raise ValueError(f"rule {rule} has no picture yet: run {COMMAND} {rule}")
    signs = metrics.sign_concordance(measured["w"], measured["v"])
    line = (made.__doc__ or "").strip().partition("\n")[0]
    return f"""## {rule}

`{made.__name__}`. {line} Here {signs:.0%} of the weights have a V of their sign.

<div style="overflow-x: auto" tabindex="0" markdown>
![{rule}: V against W, V after one update of W against V before, and the angles of V to
W and of the gradient to backpropagation's over {_EPOCHS}
epochs](pictures/{picture(rule).name}){{ style="min-width: 600px" }}
</div>
"""


def main():
    known = stored() if DATA.exists() else {}
    chosen = sys.argv[1:] or rules()
    for rule in chosen:
        known[rule] = kernels(rule) | angles(rule)
        print(rule)
    known = {rule: known[rule] for rule in rules() if rule in known}
    DATA.write_text(json.dumps(known) + "\n", encoding="utf-8")
    for rule in chosen:
        save(rule, known[rule])


if __name__ == "__main__":
    main()
