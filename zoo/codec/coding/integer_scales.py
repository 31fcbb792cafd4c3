"""The scale tower in integer arithmetic, the same to the last bit on every machine.

The decoder must choose a symbol's probability table exactly as the encoder did, or all
that follows is noise; in floating point it does not, across machines, thread counts or
compilers. So the trained scale tower is rounded to integers once, when a model is
released: integer weights, integer activations, and for every level of the coefficient
integer multipliers in place of FiLM. All products and sums are integers below 2**53,
which float64 represents exactly and adds in any order to the same result.

Reference: Ballé, Johnston & Minnen, "Integer Networks for Data Compression with
Latent-Variable Models", ICLR 2019 (the problem and the idea; the arithmetic differs).
"""

import dataclasses

import numpy as np

from yoto_tf.entropy.scale_table import LOG_STEP, MIN_SCALE, NUM_SCALES
from yoto_tf.zoo.codec.coding.integer_convolutions import convolve, threads, upsample

# Bits of a weight, of an activation and its fraction, and of a multiplier. An inner
# product has at most 25·N/4 or 9·N terms: for N = 192 below 2**11, so that a sum stays
# below 2**(11 + 12 + 15) and its product with a multiplier below 2**52.
_WEIGHT_BITS = 12
ACTIVATION_BITS = 15
_FRACTION_BITS = 8
_MULTIPLIER_BITS = 13
# Hyper-latents beyond this are clipped for the purpose of predicting scales.
HYPER_LIMIT = 2**11


@dataclasses.dataclass(frozen=True, eq=False)
class IntegerScales:
    """Hyper-latents to table indexes, exactly.

    Each layer computes sums of integer products, then per channel
    floor((sum · multiplier[level] + offset[level]) / 2**shift), clipped at the bounds.

    Attributes:
        kernels: integers as float64, [height, width, inputs, outputs] each.
        multipliers: float64 [levels, outputs] each, integers ≥ 0.
        offsets: float64 [levels, outputs] each, integers.
        shifts: int each.
    """

    kernels: tuple[np.ndarray, ...]
    multipliers: tuple[np.ndarray, ...]
    offsets: tuple[np.ndarray, ...]
    shifts: tuple[int, ...]

    def __call__(self, hyper_latents, level):
        """Table indexes of the latents.

        Args:
            hyper_latents: int array [h, w, N].
            level: int, which row of the multipliers and offsets.

        Returns:
            int32 [4h, 4w, C] in [0, 63].
        """
        features = np.clip(hyper_latents, -HYPER_LIMIT, HYPER_LIMIT).astype("float64")
        with threads() as run:
            for layer, product in enumerate((upsample, upsample, convolve)):
                last = layer == 2
                features = product(features, self.kernels[layer], run)
                features *= self.multipliers[layer][level]
                features += self.offsets[layer][level]
                features *= 2.0 ** -self.shifts[layer]
                np.floor(features, out=features)
                limit = NUM_SCALES - 1 if last else 2**ACTIVATION_BITS - 1
                np.clip(features, 0, limit, out=features)
        return features.astype("int32")

    @classmethod
    def from_network(cls, network, vectors):
        """Rounds a trained network's scale tower.

        Args:
            network: a `Hyperprior`.
            vectors: [levels, K] raw coefficient vectors, one a level.
        """
        from keras import ops

        embedding = network.embedding(ops.convert_to_tensor(vectors))
        tower = network.scale_synthesis
        log_gain = ops.convert_to_numpy(network.log_gain(embedding))
        arrays = {"kernels": [], "multipliers": [], "offsets": [], "shifts": []}
        input_unit = 1.0
        for layer, convolution in enumerate(tower.convolutions):
            kernel = ops.convert_to_numpy(convolution.kernel).astype("float64")
            if layer < 2:
                # Transposed kernels come as [height, width, outputs, inputs].
                kernel = np.swapaxes(kernel, 2, 3)
            bias = ops.convert_to_numpy(convolution.bias).astype("float64")
            scale, shift = np.ones_like(bias), np.zeros_like(bias)
            if layer < 2:
                output_unit = 2.0**-_FRACTION_BITS
                film = tower.films[layer]
                if film is not None:
                    scale, shift = (
                        ops.convert_to_numpy(part).astype("float64")
                        for part in film.scale_and_shift(embedding)
                    )
                shift = shift + scale * bias
            else:
                output_unit = LOG_STEP
                # Half an index, so that the floor rounds to the nearest.
                shift = bias + log_gain - np.log(MIN_SCALE) + LOG_STEP / 2
            # A negative FiLM scale turns the kernel's sign per level; multipliers carry
            # it.
            weight_unit = np.abs(kernel).max(axis=(0, 1, 2)) / (2**_WEIGHT_BITS - 1)
            weight_unit = np.maximum(weight_unit, 1e-12)
            factor = scale * weight_unit * input_unit / output_unit
            factor, shift = np.broadcast_arrays(
                factor, shift / output_unit, subok=False
            )
            levels = len(vectors)
            factor = np.broadcast_to(factor, (levels, factor.shape[-1]))
            shift = np.broadcast_to(shift, factor.shape)
            bits = _MULTIPLIER_BITS - int(np.ceil(np.log2(np.abs(factor).max())))
            bits = min(max(bits, 0), 40)
            arrays["kernels"].append(np.round(kernel / weight_unit))
            arrays["multipliers"].append(np.round(factor * 2.0**bits))
            arrays["offsets"].append(np.round(shift * 2.0**bits))
            arrays["shifts"].append(bits)
            input_unit = output_unit
        return cls(**{name: tuple(values) for name, values in arrays.items()})

    def to_arrays(self):
        """A dict of integer arrays, to be saved with the weights."""
        arrays = {"shifts": np.array(self.shifts, "int32")}
        for layer in range(3):
            arrays[f"kernel_{layer}"] = self.kernels[layer].astype("int16")
            arrays[f"multipliers_{layer}"] = self.multipliers[layer].astype("int32")
            arrays[f"offsets_{layer}"] = self.offsets[layer].astype("int64")
        return arrays

    @classmethod
    def from_arrays(cls, arrays):
        """Restores what `to_arrays` returned."""
        parts = {
            name: tuple(arrays[f"{prefix}_{i}"].astype("float64") for i in range(3))
            for name, prefix in (
                ("kernels", "kernel"),
                ("multipliers", "multipliers"),
                ("offsets", "offsets"),
            )
        }
        return cls(**parts, shifts=tuple(int(shift) for shift in arrays["shifts"]))
