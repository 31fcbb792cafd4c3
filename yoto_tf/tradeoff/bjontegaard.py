"""Comparing rate-distortion curves by one number, after Bjøntegaard."""

import numpy as np
from scipy.interpolate import PchipInterpolator

from yoto_tf.errors import YotoError


def bd_rate(rate, quality, anchor_rate, anchor_quality):
    """Bjøntegaard delta rate: the mean change of rate at equal quality, in percent.

    The logarithm of the rate is interpolated over the quality by monotone cubics
    (PCHIP), and the difference of the two curves averaged over the qualities both
    reach: `100 (exp(mean(log R - log R_anchor)) - 1)`. After Bjøntegaard, "Calculation
    of average PSNR differences between RD-curves", VCEG-M33, 2001, with PCHIP in place
    of his cubic polynomial, as is usual today.

    Args:
        rate, anchor_rate: positive rates, such as bits per pixel, at least 4 each, in
            any order.
        quality, anchor_quality: the quality at each rate, such as PSNR in dB, rising
            strictly with the rate.

    Returns:
        A float; −10 means 10 % less rate than the anchor for the same quality.

    Raises:
        YotoError: a curve has fewer than 4 points, is not finite and positive or does
            not rise, or the curves share no range of quality.
    """
    curve, low, high = _log_rate_over_quality(rate, quality, "the curve")
    anchor, anchor_low, anchor_high = _log_rate_over_quality(
        anchor_rate, anchor_quality, "the anchor"
    )
    start, stop = max(low, anchor_low), min(high, anchor_high)
    if start >= stop:
        raise YotoError(
            "BD-rate: expected curves that share a range of quality, got "
            f"{low:.4g} to {high:.4g} and an anchor from {anchor_low:.4g} to "
            f"{anchor_high:.4g}"
        )
    difference = curve.integrate(start, stop) - anchor.integrate(start, stop)
    return float(100 * np.expm1(difference / (stop - start)))


def _log_rate_over_quality(rate, quality, name):
    rate = np.asarray(rate, dtype=np.float64)
    quality = np.asarray(quality, dtype=np.float64)
    if rate.ndim != 1 or rate.shape != quality.shape or len(rate) < 4:
        raise YotoError(
            f"BD-rate: expected at least 4 rates and as many qualities of {name}, "
            f"got {rate.size} and {quality.size}"
        )
    if not (np.isfinite(rate) & np.isfinite(quality) & (rate > 0)).all():
        raise YotoError(
            f"BD-rate: expected finite qualities and positive rates of {name}, "
            f"got rates from {rate.min():.4g} to {rate.max():.4g} and qualities "
            f"from {quality.min():.4g} to {quality.max():.4g}"
        )
    order = np.argsort(rate)
    rate, quality = rate[order], quality[order]
    fall = np.flatnonzero((np.diff(quality) <= 0) | (np.diff(rate) <= 0))
    if fall.size:
        i = fall[0]
        raise YotoError(
            f"BD-rate: expected the quality of {name} to rise with its rate, got "
            f"{quality[i]:.5g} at {rate[i]:.4g} and {quality[i + 1]:.5g} at "
            f"{rate[i + 1]:.4g}"
        )
    return PchipInterpolator(quality, np.log(rate)), quality[0], quality[-1]
