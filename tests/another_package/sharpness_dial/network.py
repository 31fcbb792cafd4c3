"""Pictures to pictures of twice the size."""

import keras
from keras import layers, ops

from yoto_tf.layers import CoefficientEmbedding, FiLM


@keras.saving.register_keras_serializable(package="sharpness_dial")
class UpscalingNetwork(keras.Model):
    """{"image": [B, H, W, 3], "coefficients": [B, 1]} to [B, 2H, 2W, 3].

    Args:
        coefficients: `yoto_tf.Coefficients` with the one name `sharpness`.
        filters: channels of the hidden layer.
    """

    def __init__(self, coefficients, filters=8, **kwargs):
        super().__init__(**kwargs)
        self.coefficients = coefficients
        self.filters = filters
        self.embedding = CoefficientEmbedding(coefficients, (8,), name="embedding")
        self.first = layers.Conv2D(filters, 3, padding="same", name="first")
        self.film = FiLM(name="film")
        self.second = layers.Conv2D(12, 3, padding="same", name="second")

    def build(self, input_shape=None):
        self.embedding.build((None, 1))
        embedding = self.embedding.compute_output_shape((None, 1))
        hidden = (None, None, None, self.filters)
        self.first.build((None, None, None, 3))
        self.film.build(hidden, embedding)
        self.second.build(hidden)
        self.built = True

    def call(self, inputs, training=None):
        image = inputs["image"]
        embedding = self.embedding(inputs["coefficients"])
        features = ops.relu(self.film(self.first(image), embedding))
        details = self.second(features)
        batch, height, width, _ = ops.shape(image)
        details = ops.reshape(details, (batch, height, width, 2, 2, 3))
        details = ops.transpose(details, (0, 1, 3, 2, 4, 5))
        details = ops.reshape(details, (batch, 2 * height, 2 * width, 3))
        return ops.repeat(ops.repeat(image, 2, axis=1), 2, axis=2) + details

    def get_config(self):
        coefficients = keras.saving.serialize_keras_object(self.coefficients)
        return {
            "name": self.name,
            "coefficients": coefficients,
            "filters": self.filters,
        }

    @classmethod
    def from_config(cls, config):
        coefficients = keras.saving.deserialize_keras_object(config["coefficients"])
        return cls(**{**config, "coefficients": coefficients})


@keras.saving.register_keras_serializable(package="sharpness_dial")
def loss_terms(inputs, outputs):
    """Squared error, and how much of the target's contours is missing."""
    target = inputs["target"]
    missing = ops.diff(target, axis=2) - ops.diff(outputs, axis=2)
    return {
        "error": ops.mean(ops.square(outputs - target), axis=(1, 2, 3)),
        "sharpness": ops.mean(ops.abs(missing), axis=(1, 2, 3)),
    }
