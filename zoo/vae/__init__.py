"""The β-VAE of the YOTO paper: pictures from noise, with β as a dial."""

import importlib

_PUBLIC = {
    "VAE": "yoto_tf.zoo.vae.vae",
    "ConvVAE": "yoto_tf.zoo.vae.conv_vae",
}

# The networks that a release of this family may hold, as Keras knows them.
REGISTERED_NAMES = ("yoto_tf.vae>ConvVAE",)

__all__ = ["VAE", "ConvVAE"]


def __getattr__(name):
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
