"""A picture painted small, brought to the size of its photograph with sharp edges.

Around each pixel the painted picture is about an affine function of the photograph's
brightness. Gain and offset of that function are smooth, so that they can be enlarged
where the painted picture itself would blur; the photograph of the full size then puts
every edge where it is. The offset also takes what the function leaves over, the strokes
that are not in the photograph: they are enlarged as they are.

References: He, Sun & Tang, "Guided Image Filtering", ECCV 2010; He & Sun, "Fast Guided
Filter", 2015.
"""

import numpy as np
from PIL import Image
from scipy.ndimage import uniform_filter

from yoto_tf.zoo.stylization.color import LUMA

# Pixels of the small picture to each side, over which the function is fitted.
_RADIUS = 4
# Square of a contrast, in steps of 8 bits, that counts as noise and is not put in.
_NOISE = 10.0**2
# Pixels of the large picture that are worked on at once.
_STRIPE_PIXELS = 2**20


def smaller(image, height, width):
    """A photograph at another size; uint8 [H, W, 3] to uint8 [height, width, 3]."""
    resized = Image.fromarray(image).resize((width, height), Image.Resampling.LANCZOS)
    return np.asarray(resized)


def upsample(painted, small, image):
    """Brings a painted picture to the size of its photograph.

    The memory it takes beside its result is that of some stripes of rows, which leave
    no seam.

    Args:
        painted: uint8 [h, w, 3].
        small: the photograph from which it was painted, uint8 [h, w, 3].
        image: the photograph in its own size, uint8 [H, W, 3].

    Returns:
        uint8 [H, W, 3].
    """
    height, width = image.shape[:2]
    maps = _gains_and_offsets(painted, small)
    result = np.empty_like(image)
    rows = max(1, _STRIPE_PIXELS // width)
    for begin in range(0, height, rows):
        end = min(begin + rows, height)
        box = _rows_of_the_small(begin, end, height, painted.shape)
        brightness = image[begin:end] @ LUMA
        for channel, both in enumerate(maps):
            gain, offset = (
                np.asarray(
                    map_.resize((width, end - begin), Image.Resampling.BICUBIC, box)
                )
                for map_ in both
            )
            pixels = np.rint(gain * brightness + offset)
            result[begin:end, :, channel] = np.clip(pixels, 0, 255)
    return result


def _rows_of_the_small(begin, end, height, shape):
    """What rows of the large picture cover in one of this shape, as Pillow's box."""
    scale = shape[0] / height
    return 0, begin * scale, shape[1], min(end * scale, shape[0])


def _gains_and_offsets(painted, small):
    """For each channel both as Pillow's floats, of the size of the small pictures."""
    guide = small @ LUMA
    mean = _around(guide)
    variance = _around(guide * guide) - mean * mean
    maps = []
    for channel in np.moveaxis(np.float32(painted), -1, 0):
        covariance = _around(guide * channel) - mean * _around(channel)
        gain = _around(covariance / (variance + _NOISE))
        maps.append([Image.fromarray(x) for x in (gain, channel - gain * guide)])
    return maps


def _around(values):
    """The mean of what is around each pixel; float32 [h, w]."""
    return uniform_filter(values, 2 * _RADIUS + 1, mode="nearest")
