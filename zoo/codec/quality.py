"""The codec's two ways to say how good a picture is to be, as one vector."""

from yoto_tf.errors import CoefficientError

# From none to the most.
EFFORTS = range(10)


def vector_of(coefficients, quality=None, named=None):
    """The coefficient vector [1] of a quality or of named coefficients.

    Args:
        coefficients: the codec's `yoto_tf.Coefficients`.
        quality: 0 (smallest files) to 1 (best pictures), or None.
        named: {"distortion": λ}; empty for the middle of its range.

    Raises:
        CoefficientError: both are given, or a value is out of range.
    """
    if quality is None:
        return coefficients.vector(**(named or {}))
    if named:
        raise CoefficientError("give either a quality or coefficients, not both")
    if not 0 <= quality <= 1:
        raise CoefficientError(f"quality lies in [0, 1], got {quality:g}")
    return coefficients.at(quality)


def check_effort(effort):
    """Checks the time to spend on a picture.

    Raises:
        CoefficientError: it is none of `EFFORTS`.
    """
    if effort not in EFFORTS:
        raise CoefficientError(
            f"effort is a whole number from 0 to {EFFORTS[-1]}, got {effort!r}"
        )
