"""The loss term against flicker: copies of a photograph have to stylise alike."""

import dataclasses
from collections.abc import Callable

import numpy as np
from keras import ops

# Pixels that a copy may be shifted by, along each axis.
SHIFT = 8
# Largest standard deviation of its noise: what a phone's film has in the dusk.
NOISE = np.float32(8 / 255)
# Pixels at its edge that do not count: what lies beyond is mirrored, not seen.
EDGE = 8


@dataclasses.dataclass(frozen=True, eq=False)
class StableTerms:
    """Loss terms, and `stability`, by which a noisy, shifted copy should look the same.

        stability = weight · mean ‖S(x)[window] − S(x[window] + noise)‖²

    for a photograph x and the style network S, at one style and setting. It is what a
    film asks for: there the next frame is such a copy.

    Args:
        terms: function of inputs and outputs to {name: float32 [B]}.
        network: S; inputs {"image", "style", "coefficients"}.
        weight: > 0.

    Its inputs have `"copy"` and `"offset"` too, see `copies`.

    References: Zheng et al., "Improving the Robustness of Deep Neural Networks via
    Stability Training", CVPR 2016, who add the noise.
    """

    terms: Callable
    network: Callable
    weight: float

    def __call__(self, inputs, outputs, coefficients):
        """{name: float32 [B]}; `coefficients` is {name: [B]} in the dial's order."""
        copy = self.network(
            {
                "image": inputs["copy"],
                "style": inputs["style"],
                "coefficients": ops.stack(list(coefficients.values()), axis=-1),
            },
            training=True,
        )
        size = copy.shape[1]
        error = ops.square(windows(outputs, inputs["offset"], size) - copy)
        error = ops.mean(error[:, EDGE : size - EDGE, EDGE : size - EDGE], (1, 2, 3))
        terms = self.terms(inputs, outputs)
        return {**terms, "stability": self.weight * error}


def copies(images, generators):
    """Noisy, shifted copies of photographs: the part of a batch for `StableTerms`.

    Args:
        images: float32 [B, P, P, 3] in [0, 1], P > `SHIFT` + 2 · `EDGE`.
        generators: a NumPy generator for each.

    Returns:
        {"copy": float32 [B, P − SHIFT, P − SHIFT, 3], a window of each with noise;
        "offset": int32 [B, 2], its first row and column}.
    """
    size = images.shape[1] - SHIFT
    offsets, noisy = [], []
    for image, random in zip(images, generators, strict=True):
        top, left = random.integers(SHIFT + 1, size=2)
        noise = random.standard_normal((size, size, 3), "float32")
        deviation = NOISE * random.random(dtype="float32")
        noisy.append(image[top : top + size, left : left + size] + deviation * noise)
        offsets.append((top, left))
    return {"copy": np.stack(noisy), "offset": np.array(offsets, "int32")}


def windows(images, offsets, size):
    """Windows [B, size, size, C] of images [B, H, W, C] from each its own offset.

    Args:
        offsets: int [B, 2], the first row and column.
    """
    for axis in (1, 2):
        places = offsets[:, axis - 1, None] + ops.arange(size, dtype="int32")
        shape = (-1, size, 1, 1) if axis == 1 else (-1, 1, size, 1)
        images = ops.take_along_axis(images, ops.reshape(places, shape), axis=axis)
    return images
