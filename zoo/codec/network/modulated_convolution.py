"""A convolution and the FiLM behind it, for a batch of one, as one convolution."""

from keras import layers, ops


def modulated_convolution(convolution, features, scale, shift):
    """FiLM goes into the kernel and the bias, which spares two passes over the map.

    Args:
        convolution: a built `Conv2D` or `Conv2DTranspose`, padded "same".
        features: [1, h, w, C].
        scale: float32 [1, O].
        shift: float32 [1, O].

    Returns:
        `scale · convolution(features) + shift`, in the layer's compute dtype.
    """
    transposed = isinstance(convolution, layers.Conv2DTranspose)
    # Keras keeps transposed kernels as [height, width, outputs, inputs].
    kernel = convolution.kernel * (scale[0][:, None] if transposed else scale[0])
    bias = convolution.bias * scale[0] + shift[0]
    convolve = ops.conv_transpose if transposed else ops.conv
    features = convolve(
        ops.cast(features, convolution.compute_dtype),
        ops.cast(kernel, convolution.compute_dtype),
        strides=convolution.strides,
        padding="same",
    )
    return ops.add(features, ops.cast(bias, convolution.compute_dtype))
