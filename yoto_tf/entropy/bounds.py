"""Clipping whose gradient lets a clipped value find its way back."""

from keras import ops


def clip_towards(inputs, low, high):
    """`clip(inputs, low, high)` with the gradient rule of TensorFlow Compression.

    Where a value is clipped, the gradient passes unchanged if a step of gradient
    descent would move the value back towards the interval, and is zero otherwise.
    Plain clipping would leave such a value stuck for good.

    Args:
        inputs: float tensor of any shape.
        low: float, lower bound.
        high: float, upper bound, not below `low`.

    Returns:
        Tensor of the shape and type of `inputs`, with values in [low, high].
    """

    @ops.custom_gradient
    def clip(x):
        def grad(upstream):
            passes = ops.where(upstream < 0, x <= high, x >= low)
            return ops.where(passes, upstream, ops.zeros_like(upstream))

        return ops.clip(x, low, high), grad

    return clip(inputs)
