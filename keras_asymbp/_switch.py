"""The switches that layers and rules read; off outside of their `with` blocks."""

from keras_asymbp.backend import Switch, SwitchInFunction

backpropagation = Switch("backpropagation")
"""Within it V is W in every layer, and no error is sent directly.

Use it as `with backpropagation():`. The gradients are backpropagation's. On
TensorFlow a `tf.function` keeps the value that it was traced with; see
`backend.inlined`.
"""

redrawn = SwitchInFunction("redrawn")
"""Within it `redraw` is called after each update: V is never behind W."""

mirroring = Switch("mirroring")
"""Within it each call of a layer is a step of its rules' mirror phase."""

hidden = Switch("hidden")
"""Within it no rule has variables, for `model.export`."""
