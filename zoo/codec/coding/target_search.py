"""The trade-off at which one picture meets a target rate, size or PSNR.

The rate is roughly a power of λ and the PSNR roughly linear in its logarithm, so both
are found on the dial `quality`, which is log λ, by inverse interpolation between real
encodes: of the logarithm of the file's size, or of the decoded picture's PSNR.
"""

import dataclasses
import math
from collections.abc import Callable

import numpy as np

from yoto_tf.errors import CoefficientError, DataError
from yoto_tf.imaging.metrics import bits_per_pixel, psnr

MAX_ENCODES = 8
RATE_TOLERANCE = 0.01
PSNR_TOLERANCE = 0.05


@dataclasses.dataclass(frozen=True)
class _Target:
    """What is searched for.

    Attributes:
        measure: function of a file's content to its place, a number that rises with
            quality.
        goal: the place to aim at.
        accept: the lowest and the highest place that meet the target.
        spell: function of a place to a text in the user's units.
    """

    measure: Callable
    goal: float
    accept: tuple[float, float]
    spell: Callable

    def accepts(self, place):
        low, high = self.accept
        return low <= place <= high


def compress_to_target(codec, image, unit, goal, effort=0):
    """Compresses a picture at the trade-off that meets a target.

    Args:
        codec: a `Codec`.
        image: uint8 [H, W, 3].
        unit: "bpp", bits per pixel of the file, met within 1 %; "size", its bytes,
            never exceeded and met within 1 %; or "psnr" in dB, met within 0.05 dB. A
            rate is never asked for more precisely than whole bytes.
        goal: the target, > 0.
        effort: see `Codec.compress`. It moves rate and quality, so further encodes
            follow.

    Returns:
        bytes, the content of a `.yoto` file, after at most eight encodes, and with
        effort at most eight more of that kind.

    Raises:
        CoefficientError: a goal that is not a positive number.
        DataError: the picture does not reach the goal; names what it reaches.
    """
    if not 0 < goal < math.inf:
        raise CoefficientError(f"a target {unit} is a positive number, got {goal:g}")
    target = _target(codec, image, unit, goal)
    trials = []
    data = _searched(codec, image, target, trials)
    if effort:
        trials, plain = [], sorted(trials)
        data = _searched_with_effort(codec, image, target, trials, plain, effort)
    if data is not None:
        return data
    places = sorted(place for _, place in trials)
    below = [place for place in places if place < target.goal]
    above = [place for place in places if place > target.goal]
    message = f"a target {unit} of {goal:g} is out of reach: this picture gives "
    message += f"{target.spell(places[0])} to {target.spell(places[-1])}"
    if below and above:
        nearest = f"{target.spell(below[-1])} and {target.spell(above[0])}"
        message += f", and {len(trials)} encodes came no nearer than {nearest}"
    raise DataError(message)


def _searched(codec, image, target, trials):
    """The content of a file that meets the target, or None; adds to the trials."""
    for _ in range(MAX_ENCODES):
        quality = _next_quality(trials, target.goal)
        if quality is None:
            return None
        data = codec.compress(image, quality=quality)
        trials.append((quality, target.measure(data)))
        if target.accepts(trials[-1][1]):
            return data
    return None


def _searched_with_effort(codec, image, target, trials, plain, effort):
    """The same with effort, which moves the places of all files by about as much.

    Places are expected where the curve without effort lies, plus what effort changed
    at the qualities tried, linear in between.

    Args:
        codec, image, target, trials: as above.
        plain: the trials without effort, sorted.
        effort: see `compress_to_target`.
    """
    if len(plain) == 1:  # The first end met the target: the curve needs the other.
        data = codec.compress(image, quality=1.0)
        plain = [*plain, (1.0, target.measure(data))]
    qualities, places = zip(*plain, strict=True)
    for _ in range(MAX_ENCODES):
        knots = np.unique([*qualities, *(quality for quality, _ in trials)])
        expected = np.interp(knots, qualities, places)
        if trials:
            tried, found = np.array(sorted(trials)).T
            moved = found - np.interp(tried, qualities, places)
            expected = np.maximum.accumulate(expected + np.interp(knots, tried, moved))
        quality = float(np.interp(target.goal, expected, knots))
        if quality in (quality for quality, _ in trials):
            return None
        data = codec.compress(image, quality=quality, effort=effort)
        trials.append((quality, target.measure(data)))
        if target.accepts(trials[-1][1]):
            return data
    return None


def _next_quality(trials, goal):
    """The quality to try next, or None where the goal is out of reach.

    The ends of the dial come first, then the place where the goal is expected.
    """
    # Compressing without a target needs no SciPy, which takes long to import.
    from scipy.interpolate import PchipInterpolator

    if len(trials) < 2:
        return float(len(trials))
    trials = sorted(trials)
    above = next((i for i, (_, place) in enumerate(trials) if place > goal), 0)
    if above == 0:
        return None
    (left, _), (right, _) = trials[above - 1 : above + 1]
    qualities, places = np.array(trials, "float64").T
    if np.isfinite(places).all() and (np.diff(places) > 0).all():
        quality = float(PchipInterpolator(places, qualities)(goal))
        # Not so near to an end of the bracket that it would hardly shrink.
        margin = 0.01 * (right - left)
        if left + margin < quality < right - margin:
            return quality
    return (left + right) / 2


def _target(codec, image, unit, goal):
    height, width = image.shape[:2]
    if unit == "psnr":
        return _Target(
            lambda data: psnr(image, codec.decompress(data)),
            goal,
            (goal - PSNR_TOLERANCE, goal + PSNR_TOLERANCE),
            lambda place: f"{place:.2f} dB",
        )
    if unit == "size":
        lowest = min(goal * (1 - RATE_TOLERANCE), math.floor(goal) - 1)
        aim, highest = (lowest + goal) / 2, goal
        spell = "{:,.0f} bytes".format
    else:
        aim = goal * height * width / 8
        slack = max(aim * RATE_TOLERANCE, 0.5)
        lowest, highest = aim - slack, aim + slack

        def spell(num_bytes):
            return f"{bits_per_pixel(num_bytes, height, width):.4g} bits per pixel"

    return _Target(
        lambda data: math.log(len(data)),
        math.log(aim),
        (math.log(max(lowest, 0.5)), math.log(highest)),
        lambda place: spell(math.exp(place)),
    )
