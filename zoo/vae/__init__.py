"""The β-VAE of the YOTO paper: pictures from noise, with β as a dial."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "conv_vae": ["ConvVAE"],
        "vae": ["VAE"],
    },
)

# The networks that a release of this family may hold, as Keras knows them.
REGISTERED_NAMES = ("yoto_tf.vae>ConvVAE",)
