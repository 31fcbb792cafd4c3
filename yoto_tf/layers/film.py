import keras
from keras import layers, ops


@keras.saving.register_keras_serializable(package="yoto_tf")
class FiLM(layers.Layer):
    """Feature-wise linear modulation, starting near the identity.

        y = (1 + strength · s(e)) · x + strength · t(e)

    with s and t dense functions of the embedding e, one value per channel (last axis).

    Args:
        strength: how far from the identity the layer starts, ≥ 0.
        hidden_units: width of the one hidden layer that s and t each have of their
            own, as in the authors' β-VAE; None for none (when the embedding is already
            the output of a perceptron).
        kernel_initializer: of the output layers of s and t; `"zeros"` starts the layer
            at exactly the identity.

    Inputs: features [B, ..., C], embedding [B, E] or, for all examples alike, [1, E].
    Output: as the features, in the layer's compute dtype. Under a mixed policy the
    embedding and the dense functions stay in float32; only the products with the
    features are rounded.

    Raises:
        ValueError: a negative strength.

    References: Perez et al., "FiLM: Visual Reasoning with a General Conditioning
    Layer", AAAI 2018; Dosovitskiy & Djolonga, ICLR 2020.
    """

    def __init__(
        self,
        strength=0.1,
        hidden_units=None,
        kernel_initializer=None,
        **kwargs,
    ):
        # The embedding path is tiny and stays in float32, whatever the policy.
        super().__init__(autocast=False, **kwargs)
        self.supports_masking = True
        if strength < 0:
            raise ValueError(f"strength must be ≥ 0, got strength={strength}")
        self.strength = strength
        self.hidden_units = hidden_units
        self.kernel_initializer = keras.initializers.get(
            kernel_initializer or keras.initializers.VarianceScaling(2.0)
        )

    def build(self, inputs_shape, embedding_shape):
        channels = inputs_shape[-1]
        if self.hidden_units is None:
            self.hidden = None
            # Scale and shift in one product.
            self.affine = layers.Dense(
                2 * channels,
                kernel_initializer=self.kernel_initializer,
                dtype="float32",
                name="affine",
            )
            self.affine.build(embedding_shape)
            return
        self.hidden = [self._hidden_layer(name) for name in ("scale", "shift")]
        self.outputs = [
            layers.Dense(
                channels,
                kernel_initializer=self.kernel_initializer.clone(),
                dtype="float32",
                name=name,
            )
            for name in ("scale", "shift")
        ]
        for hidden, output in zip(self.hidden, self.outputs, strict=True):
            hidden.build(embedding_shape)
            output.build((embedding_shape[0], self.hidden_units))

    def _hidden_layer(self, name):
        return layers.Dense(
            self.hidden_units,
            activation=keras.activations.leaky_relu,
            kernel_initializer=keras.initializers.VarianceScaling(2.0),
            dtype="float32",
            name=f"{name}_hidden",
        )

    def scale_and_shift(self, embedding):
        """The float32 factors (1 + strength·s, strength·t), each [B, C]."""
        embedding = ops.cast(embedding, "float32")
        if self.hidden is None:
            scale, shift = ops.split(self.affine(embedding), 2, axis=-1)
        else:
            scale, shift = (
                output(hidden(embedding))
                for hidden, output in zip(self.hidden, self.outputs, strict=True)
            )
        return 1.0 + self.strength * scale, self.strength * shift

    def call(self, inputs, embedding):
        scale, shift = self.scale_and_shift(embedding)
        shape = (-1, *(1,) * (len(inputs.shape) - 2), inputs.shape[-1])
        scale = ops.cast(ops.reshape(scale, shape), self.compute_dtype)
        shift = ops.cast(ops.reshape(shift, shape), self.compute_dtype)
        return scale * ops.cast(inputs, self.compute_dtype) + shift

    def at(self, embedding):
        """The scale and the shift of every channel at one embedding [1, E].

        Returns:
            Two float32 NumPy arrays [C].
        """
        scale, shift = self.scale_and_shift(embedding)
        return ops.convert_to_numpy(scale)[0], ops.convert_to_numpy(shift)[0]

    def compute_output_shape(self, inputs_shape, embedding_shape):
        return inputs_shape

    def get_config(self):
        return {
            **super().get_config(),
            "strength": self.strength,
            "hidden_units": self.hidden_units,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }
