"""A stylised picture in the colours of its photograph."""

import numpy as np

# Luma of BT.601, the Y of YIQ and of YCbCr.
LUMA = np.float32([0.299, 0.587, 0.114])


def with_colors_of(photograph, stylized):
    """Luma of the stylised picture, chroma of the photograph; uint8 [H, W, 3] all.

    Only differences to the luma carry chroma, so it is enough to shift all three
    channels by what the luma has changed.

    Reference: Gatys et al., "Preserving Color in Neural Artistic Style Transfer", 2016.
    """
    shift = stylized @ LUMA - photograph @ LUMA
    colored = photograph + np.rint(shift)[..., None]
    return np.clip(colored, 0, 255).astype(np.uint8)
