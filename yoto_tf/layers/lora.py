import math

import keras
from keras import layers, ops

_CONVOLUTIONS = (layers.Conv1D, layers.Conv2D, layers.Conv3D)
_TRANSPOSED = (layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose)
_UPDATED = (layers.Dense, layers.EinsumDense, *_CONVOLUTIONS, *_TRANSPOSED)


@keras.saving.register_keras_serializable(package="yoto_tf")
class LoRA(layers.Wrapper):
    """A layer whose kernel gets a low-rank update that the coefficients drive.

        y = activation(x ∗ (W + A · diag(s(e)) · B) + b)

    with s dense in the embedding e, A as the kernel W with only `rank` outputs, and B
    [rank, outputs], which starts at zero: the layer starts as exactly the given one.
    So every coefficient vector can have a kernel of its own, which differs from W by an
    update of low rank.

    An embedding of one row, [1, E], is meant for all examples: then the update is added
    to the kernel. With a row for each example the kernels differ within the batch and
    the update is computed as two thin products, (x ∗ A) · s(e) and that times B.

    Args:
        layer: `Dense`, `EinsumDense`, or a convolution or transposed convolution that
            has channels last and one group. Its own activation, regularisers and bias
            act as before.
        rank: of the update, ≥ 1.

    Inputs: those of `layer`, [B, ...], and the embedding, [B, E] or [1, E]. Output: as
    `layer`, in its compute dtype. Under a mixed policy s is computed in float32, and so
    is the updated kernel before it is rounded.

    Raises:
        ValueError: another kind of layer, or a rank below one.

    References: Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", ICLR
    2022; Dimitriadis et al., "Pareto Low-Rank Adapters: Efficient Multi-Task Learning
    with Preferences" (PaLoRA), ICLR 2025; Chen & Kwok, "Efficient Pareto Manifold
    Learning with Low-Rank Structure" (LORPMAN), ICML 2024. They weight the updates by
    the preferences themselves, where s may be any smooth function of them.
    """

    def __init__(self, layer, rank=4, **kwargs):
        if not self.can_update(layer):
            raise ValueError(
                "layer must be Dense, EinsumDense with its kernel's last index among "
                "the outputs only, or a convolution or transposed convolution with "
                f"channels last and one group, got layer={layer}"
            )
        if rank < 1:
            raise ValueError(f"rank must be ≥ 1, got rank={rank}")
        kwargs.setdefault("dtype", layer.dtype_policy)
        # The wrapped layer is never called itself, only computed with.
        kwargs["activity_regularizer"] = layer.activity_regularizer
        # The embedding stays in float32, whatever the policy.
        super().__init__(layer, autocast=False, **kwargs)
        self.supports_masking = layer.supports_masking
        self.rank = rank

    @staticmethod
    def can_update(layer):
        """Whether a layer, built or not, is of a kind that can be wrapped."""
        if not isinstance(layer, _UPDATED):
            return False
        if isinstance(layer, layers.EinsumDense):
            inputs, kernel, outputs = _terms(layer.equation)
            return kernel[-1] in outputs[1:] and kernel[-1] not in inputs
        if isinstance(layer, layers.Dense):
            return True
        return layer.data_format == "channels_last" and getattr(layer, "groups", 1) == 1

    def build(self, inputs_shape, embedding_shape):
        super().build(inputs_shape)
        shape = list(self.layer.kernel.shape)
        if isinstance(self.layer, _TRANSPOSED):
            shape[-2:] = shape[:-3:-1]
        *shape, outputs = shape
        self.down = self.add_weight(
            shape=(*shape, self.rank),
            initializer=keras.initializers.RandomNormal(
                stddev=math.prod(shape) ** -0.5
            ),
            name="down",
        )
        self.up = self.add_weight(
            shape=(self.rank, outputs), initializer="zeros", name="up"
        )
        self.scales = layers.Dense(
            self.rank,
            kernel_initializer=keras.initializers.VarianceScaling(),
            dtype="float32",
            name="scales",
        )
        self.scales.build(embedding_shape)

    def call(self, inputs, embedding):
        inputs = ops.cast(inputs, self.compute_dtype)
        scales = self.scales(ops.cast(embedding, "float32"))
        if embedding.shape[0] == 1:
            outputs = self._linear(inputs, self._kernel(scales))
        else:
            outputs = self._linear(inputs, self.layer.kernel)
            outputs = outputs + self._thin_products(inputs, scales)
        if self.layer.bias is not None:
            outputs = outputs + ops.cast(self.layer.bias, self.compute_dtype)
        if self.layer.activation is not None:
            outputs = self.layer.activation(outputs)
        return outputs

    def _kernel(self, scales):
        """The kernel with the update of one row of scales, [1, rank], added."""
        update = ops.matmul(self.down * scales[0], self.up)
        if isinstance(self.layer, _TRANSPOSED):
            update = ops.swapaxes(update, -2, -1)
        return ops.cast(self.layer.kernel, "float32") + update

    def _thin_products(self, inputs, scales):
        down = self.down
        if isinstance(self.layer, _TRANSPOSED):
            down = ops.swapaxes(down, -2, -1)
        thin = self._linear(inputs, down)
        axis, equation = -1, None
        if isinstance(self.layer, layers.EinsumDense):
            # The rank takes the place of one axis of the outputs, wherever that is.
            _, kernel, outputs = _terms(self.layer.equation)
            letter = kernel[-1]
            before, after = outputs.split(letter)
            axis = -1 - len(after) if "..." not in after else len(before)
            spare = next(c for c in "zyxwvutsrqponmlkjihgfedcba" if c not in outputs)
            equation = f"{before}{spare}{after},{spare}{letter}->{outputs}"
        shape = [1] * len(thin.shape)
        shape[axis] = self.rank
        shape[0] = -1
        thin = thin * ops.cast(ops.reshape(scales, shape), self.compute_dtype)
        up = ops.cast(self.up, self.compute_dtype)
        return ops.einsum(equation, thin, up) if equation else ops.matmul(thin, up)

    def _linear(self, inputs, kernel):
        """The layer's product or convolution with a kernel of the same geometry."""
        layer, kernel = self.layer, ops.cast(kernel, self.compute_dtype)
        if isinstance(layer, layers.EinsumDense):
            return ops.einsum(layer.equation, inputs, kernel)
        if isinstance(layer, layers.Dense):
            return ops.matmul(inputs, kernel)
        geometry = {
            "strides": list(layer.strides),
            "padding": layer.padding,
            "dilation_rate": layer.dilation_rate,
            "data_format": "channels_last",
        }
        if isinstance(layer, _TRANSPOSED):
            geometry["output_padding"] = layer.output_padding
            return ops.conv_transpose(inputs, kernel, **geometry)
        if layer.padding == "causal":
            before = layer.dilation_rate[0] * (layer.kernel_size[0] - 1)
            inputs = ops.pad(inputs, [[0, 0], [before, 0], [0, 0]])
            geometry["padding"] = "valid"
        return ops.conv(inputs, kernel, **geometry)

    def at(self, embedding):
        """The plain layer that computes the same as this one at one embedding [1, E].

        Returns:
            A built copy of `layer`, of the same name, with the update in its kernel.
        """
        config = self.layer.get_config()
        for option in ("lora_rank", "lora_alpha"):
            config.pop(option, None)
        if getattr(self.layer, "activation", None) is not None:
            config["activation"] = self.layer.activation
        plain = type(self.layer).from_config(config)
        plain.build_from_config(self.layer.get_build_config())
        plain.kernel.assign(self._kernel(self.scales(ops.cast(embedding, "float32"))))
        if plain.bias is not None:
            plain.bias.assign(self.layer.bias)
        return plain

    def compute_output_shape(self, inputs_shape, embedding_shape):
        return self.layer.compute_output_shape(inputs_shape)

    def get_config(self):
        config = {**super().get_config(), "rank": self.rank}
        # The wrapped layer has it.
        config.pop("activity_regularizer", None)
        return config


def _terms(equation):
    """The indices of the inputs, the kernel and the outputs of an einsum."""
    left, outputs = equation.replace(" ", "").split("->")
    return *left.split(","), outputs
