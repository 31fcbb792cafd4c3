"""The codec's two loss terms."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="yoto_tf.codec")
def rate_distortion_terms(inputs, outputs):
    """Mean squared error and bits per pixel, per example.

    Returns:
        {"distortion": MSE of 8-bit values, averaged over pixels and channels, [B];
         "rate": bits per pixel, [B]}. Their weighted sum, λ · distortion + rate, is the
        loss of Ballé et al. (2018) and of TensorFlow Compression.
    """
    image = inputs["image"]
    error = (outputs["reconstruction"] - ops.cast(image, "float32")) * 255.0
    pixels = ops.cast(ops.shape(image)[1] * ops.shape(image)[2], "float32")
    return {
        "distortion": ops.mean(ops.square(error), axis=(1, 2, 3)),
        "rate": outputs["bits"] / pixels,
    }
