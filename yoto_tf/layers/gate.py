import keras
from keras import layers, ops


@keras.saving.register_keras_serializable(package="yoto_tf")
class Gate(layers.Layer):
    """A gate on every channel that the coefficients open and close.

        y = 2 · sigmoid(a(e)) · x

    with a affine in the embedding e, one value per channel (last axis). It lies in
    (0, 2) and starts at exactly 1, so that the layer starts as the identity. Made for
    the pre-activations of every layer and for an embedding that is the standardised
    coefficients themselves (`CoefficientEmbedding` with `units=()`): K + 1 parameters a
    channel.

    Inputs: features [B, ..., C], embedding [B, E] or, for all examples alike, [1, E].
    Output: as the features, in the layer's compute dtype. Under a mixed policy the gate
    is computed in float32; only its product with the features is rounded.

    Reference: Bae et al., "Multi-Rate VAE: Train Once, Get the Full Rate-Distortion
    Curve", ICLR 2023, whose gates lie in (0, 1).
    """

    def __init__(self, **kwargs):
        # The gate is tiny and stays in float32, whatever the policy.
        super().__init__(autocast=False, **kwargs)
        self.supports_masking = True

    def build(self, inputs_shape, embedding_shape):
        self.affine = layers.Dense(
            inputs_shape[-1], kernel_initializer="zeros", dtype="float32", name="affine"
        )
        self.affine.build(embedding_shape)

    def _gate(self, embedding):
        """The float32 factors, [B, C]."""
        return 2.0 * ops.sigmoid(self.affine(ops.cast(embedding, "float32")))

    def call(self, inputs, embedding):
        shape = (-1, *(1,) * (len(inputs.shape) - 2), inputs.shape[-1])
        gate = ops.cast(ops.reshape(self._gate(embedding), shape), self.compute_dtype)
        return gate * ops.cast(inputs, self.compute_dtype)

    def at(self, embedding):
        """The scale of every channel at one embedding, and a shift of zero.

        Args:
            embedding: [1, E].

        Returns:
            Two float32 NumPy arrays [C].
        """
        scale = ops.convert_to_numpy(self._gate(embedding))[0]
        return scale, scale * 0

    def compute_output_shape(self, inputs_shape, embedding_shape):
        return inputs_shape

    def get_config(self):
        # Defined, though it adds nothing: otherwise Keras derives a config from the
        # arguments of __init__, and refuses a dtype policy.
        return super().get_config()
