"""Inputs for any endpoint of the small models."""

import numpy as np


def example_inputs(endpoint, photograph):
    """{name: array} for an `Endpoint` whose sizes are fixed, the same every time."""
    rng = np.random.default_rng(0)
    inputs = {}
    for name, tensor in endpoint.inputs.items():
        shape = tensor.shape
        if name in ("image", "noisy"):
            batch, height, width, channels = shape
            crops = [
                photograph[90 * i :, 60 * i :][:height, :width] for i in range(batch)
            ]
            values = np.stack(crops)[..., :channels] / 255
        elif name == "coefficients":
            low, high = np.array(list(endpoint.coefficients.ranges().values())).T
            values = low + (high - low) * rng.random(shape)
        elif name == "style":
            values = rng.random(shape)
        elif name == "style_vector":
            # About as far from zero as those of styles that were learned.
            values = rng.normal(0, 0.3, shape)
        elif name == "painting":
            values = rng.random(shape)
        elif tensor.dtype == "int32":
            values = rng.integers(-5, 6, shape)
        else:
            values = rng.standard_normal(shape)
        inputs[name] = values.astype(tensor.dtype)
    return inputs
