"""Measures of the quality and the size of compressed pictures."""

import math

import numpy as np

from yoto_tf.errors import DataError

# Wang, Simoncelli and Bovik, "Multiscale structural similarity for image quality
# assessment", Asilomar 2003: one exponent a scale, finest first.
MS_SSIM_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_TAPS = 11
_SIGMA = 1.5
# The shortest side whose fourth halving, rounded up, still holds the window.
_MS_SSIM_SMALLEST = (_TAPS - 1) * 2 ** (len(MS_SSIM_WEIGHTS) - 1) + 1


def psnr(a, b):
    """Peak signal-to-noise ratio, `10 log10(255² / MSE)`, of 8-bit pictures.

    Args:
        a, b: uint8 arrays of one shape; the error is averaged over all channels.

    Returns:
        A float in dB, infinite for equal pictures.

    Raises:
        DataError: the pictures differ in size or are not 8-bit.
    """
    a, b = _comparable(a, b)
    error = np.mean(np.square(a - b))
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)


def ms_ssim(a, b):
    """Multi-scale structural similarity of 8-bit RGB pictures.

    Five scales, each window a Gaussian of 11 taps and σ = 1.5, without padding
    (K₁ = 0.01, K₂ = 0.03). Each channel is compared by itself, as
    `tf.image.ssim_multiscale` does; published figures for learned codecs are such means
    over R, G and B.

    Args:
        a, b: uint8 `[height, width, 3]`, both sides at least 161 pixels.

    Returns:
        A float of at most 1, the value of equal pictures.

    Raises:
        DataError: the pictures differ in size, are not 8-bit RGB or are too small.
    """
    a, b = _comparable(a, b)
    if a.ndim != 3 or a.shape[2] != 3:
        raise DataError(f"MS-SSIM: expected [height, width, 3], got {a.shape}")
    if min(a.shape[:2]) < _MS_SSIM_SMALLEST:
        raise DataError(
            f"MS-SSIM: expected at least {_MS_SSIM_SMALLEST}x{_MS_SSIM_SMALLEST} "
            f"pixels for its five scales, got {a.shape[0]}x{a.shape[1]}"
        )
    similarity = np.ones(3)
    for scale, weight in enumerate(MS_SSIM_WEIGHTS):
        if scale:
            a, b = _halved(a), _halved(b)
        luminance, contrast = _luminance_and_contrast(a, b)
        last = scale == len(MS_SSIM_WEIGHTS) - 1
        terms = luminance * contrast if last else contrast
        # A negative mean has no real power; it counts as no similarity at all.
        similarity *= np.maximum(terms.mean(axis=(0, 1)), 0) ** weight
    return float(similarity.mean())


def ms_ssim_db(similarity):
    """MS-SSIM on the scale it is plotted on, `-10 log10(1 - MS-SSIM)`, in dB."""
    return math.inf if similarity >= 1 else -10 * math.log10(1 - similarity)


def bits_per_pixel(num_bytes, height, width):
    """Bits of a file of `num_bytes` bytes for each pixel of its picture."""
    return 8 * num_bytes / (height * width)


def _comparable(a, b):
    a, b = np.asarray(a), np.asarray(b)
    if a.dtype != np.uint8 or b.dtype != np.uint8:
        raise DataError(f"expected uint8 pictures, got {a.dtype} and {b.dtype}")
    if a.shape != b.shape or a.size == 0:
        raise DataError(
            f"expected two pictures of one size, got {a.shape} and {b.shape}"
        )
    return a.astype(np.float64), b.astype(np.float64)


def _luminance_and_contrast(a, b):
    """Maps of the two factors of SSIM, `[height - 10, width - 10, 3]`."""
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    mean_a, mean_b = _window_mean(a), _window_mean(b)
    products, squares = mean_a * mean_b, mean_a**2 + mean_b**2
    luminance = (2 * products + c1) / (squares + c1)
    covariances = _window_mean(a * b) - products
    variances = _window_mean(a**2 + b**2) - squares
    return luminance, (2 * covariances + c2) / (variances + c2)


def _window_mean(image):
    # Compressing a picture needs no SciPy, which takes long to import.
    from scipy.ndimage import correlate1d

    offsets = np.arange(_TAPS) - _TAPS // 2
    window = np.exp(-(offsets**2) / (2 * _SIGMA**2))
    window /= window.sum()
    inside = slice(_TAPS // 2, -(_TAPS // 2))
    rows = correlate1d(image, window, axis=0)[inside]
    return correlate1d(rows, window, axis=1)[:, inside]


def _halved(image):
    """Means of 2×2 blocks; an odd last row or column is repeated."""
    height, width, _ = image.shape
    image = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return (
        image[::2, ::2] + image[1::2, ::2] + image[::2, 1::2] + image[1::2, 1::2]
    ) / 4
