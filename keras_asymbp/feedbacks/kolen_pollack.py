from keras_asymbp.feedbacks.fixed_random import FixedRandom


class KolenPollack(FixedRandom):
    """Kolen-Pollack feedback: V gets every update that W gets, and both decay.

    With an update U of W and a decay of rate d,

        W(t+1) = (1 - d) W(t) + U(t)
        V(t+1) = (1 - d) V(t) + U(t)

    so that each step multiplies W - V by 1 - d, whatever is learned: V becomes W
    although no weight is copied from W to V. V starts as `N(0, stddev^2)`.

    V is trained: it is among a model's `trainable_variables` with the gradient of W. An
    optimizer whose update follows from gradients gives both the same one: any of Keras
    but Adafactor, Ftrl and Lamb, whose updates depend on the weight, too. **You must
    add the decay**: the optimizer's `weight_decay`, or the layer's
    `kernel_regularizer`, which V shares, as it does the `kernel_constraint`. Without it
    W - V is constant. `BatchManhattan` needs the decay outside of the sign (settings 0
    and 1): in settings 2 and 3 W and V move by steps of one size, and may stay a few
    steps apart.

    Optimizers with state (momentum, Adam) update both equally, too, since both have the
    same gradients from the start. Clipping by the norm of all gradients counts W's
    gradient twice.

    Args:
        stddev (float): The standard deviation of V at the start, 0 or more.
        seed (int | None): Integer in [0, 2^31), or None for one that follows
            `keras.utils.set_random_seed`.

    Raises:
        ValueError: If `stddev` or `seed` is out of range.

    Alias: `"KP"`. Source: Kolen and Pollack, "Backpropagation without weight
    transport", 1994; Akrout et al., "Deep Learning without Weight Transport", 2019,
    section 4.

    >>> import keras
    >>> import keras_asymbp
    >>> keras.utils.set_random_seed(0)
    >>> layer = keras_asymbp.AsymDense(5, feedback="KP")
    >>> model = keras.Sequential([keras.Input((10,)), layer])
    >>> model.compile(keras_asymbp.BatchManhattan(0.1, weight_decay=1.0), "mse")
    >>> x, y = keras.ops.ones((20, 10)), keras.ops.ones((20, 5))
    >>> history = model.fit(x, y, epochs=200, verbose=0)
    >>> keras_asymbp.metrics.angle(layer.kernel, layer.feedback_kernel) < 1
    True
    """

    alias = "KP"
    trained = True
