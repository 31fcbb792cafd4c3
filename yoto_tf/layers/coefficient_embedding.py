import keras
from keras import layers, ops

# Imported for its annotation, and so that a saved layer finds the class registered.
from yoto_tf.coefficients import Coefficients


@keras.saving.register_keras_serializable(package="yoto_tf")
class CoefficientEmbedding(layers.Layer):
    """Raw loss coefficients to the embedding that conditional layers read.

    Standardises the (log-)coefficients inside the graph and appends the output of a
    multilayer perceptron to them. With `units=()` the standardised vector alone is the
    embedding, as in the authors' β-VAE, where every conditioned block has a perceptron
    of its own.

    Args:
        coefficients: the `yoto_tf.Coefficients` that the model is trained for.
        units: widths of the dense layers; each is followed by a leaky ReLU.

    Input: [B, K] raw coefficients. Output: float32 [B, K + units[-1]], or [B, K].

    Reference: Dosovitskiy & Djolonga, "You Only Train Once: Loss-Conditional Training
    of Deep Networks", ICLR 2020.
    """

    def __init__(self, coefficients: Coefficients, units=(64,), **kwargs):
        # Coefficients span decades: bfloat16 would keep three digits of the logarithm.
        super().__init__(**{**kwargs, "autocast": False, "dtype": "float32"})
        self.coefficients = coefficients
        self.units = tuple(units)
        self.dense = [
            layers.Dense(
                width,
                activation=keras.activations.leaky_relu,
                kernel_initializer=keras.initializers.VarianceScaling(2.0),
                # Without biases a perceptron would start as zero in the middle of the
                # range, and bend nowhere else.
                bias_initializer=keras.initializers.RandomNormal(stddev=1.0),
                dtype="float32",
                name=f"dense_{position}",
            )
            for position, width in enumerate(self.units)
        ]

    def build(self, input_shape):
        for layer in self.dense:
            layer.build(input_shape)
            input_shape = layer.compute_output_shape(input_shape)

    def call(self, inputs):
        standardized = outputs = self.coefficients.standardize(inputs)
        if not self.dense:
            return standardized
        for layer in self.dense:
            outputs = layer(outputs)
        return ops.concatenate([standardized, outputs], axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] + sum(self.units[-1:]))

    def get_config(self):
        coefficients = keras.saving.serialize_keras_object(self.coefficients)
        return {
            **super().get_config(),
            "coefficients": coefficients,
            "units": self.units,
        }

    @classmethod
    def from_config(cls, config):
        coefficients = keras.saving.deserialize_keras_object(config["coefficients"])
        return cls(**{**config, "coefficients": coefficients})
