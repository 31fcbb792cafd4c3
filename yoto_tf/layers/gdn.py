import keras
from keras import initializers, layers, ops

# Where a squared parameter starts when its square should be about zero: at zero itself
# the gradient of a square vanishes and the parameter would never leave.
_NEAR_ZERO = 1e-3


@keras.saving.register_keras_serializable(package="yoto_tf")
class GDN(layers.Layer):
    """Generalised divisive normalisation, or its approximate inverse.

        y_i = x_i / sqrt(β_i + Σ_j γ_ij · x_j²)        (inverse: x_i · sqrt(...))

    β > 0 and γ ≥ 0 hold because both are squares of the trained parameters.

    Args:
        inverse: multiply instead of dividing (IGDN).
        initial_gamma: γ starts as this times the identity matrix, > 0; β starts at 1.

    Input and output: [B, ..., C].

    Raises:
        ValueError: initial_gamma not positive.

    Reference: Ballé, Laparra & Simoncelli, "Density Modeling of Images using a
    Generalized Normalization Transformation", ICLR 2016.
    """

    def __init__(self, inverse=False, initial_gamma=0.1, **kwargs):
        super().__init__(**kwargs)
        if initial_gamma <= 0:
            raise ValueError(
                f"initial_gamma must be > 0, got initial_gamma={initial_gamma}"
            )
        self.inverse = inverse
        self.initial_gamma = initial_gamma

    def build(self, input_shape):
        channels = input_shape[-1]

        def initialize_gamma(shape, dtype=None):
            diagonal = ops.eye(shape[0], dtype=dtype)
            root = self.initial_gamma**0.5
            return diagonal * (root - _NEAR_ZERO) + _NEAR_ZERO

        self.root_beta = self.add_weight(
            shape=(channels,),
            initializer=initializers.Ones(),
            name="root_beta",
        )
        # [j, i]: the pooled channel first, as a 1×1 convolution has it.
        self.root_gamma = self.add_weight(
            shape=(channels, channels),
            initializer=initialize_gamma,
            name="root_gamma",
        )

    def call(self, inputs):
        gamma = ops.square(self.root_gamma)
        beta = ops.square(self.root_beta) + 1e-6
        pooled = ops.matmul(ops.square(inputs), gamma) + beta
        return inputs * (ops.sqrt(pooled) if self.inverse else ops.rsqrt(pooled))

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "inverse": self.inverse,
            "initial_gamma": self.initial_gamma,
        }
