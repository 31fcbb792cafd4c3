"""Images of any size for networks that need a multiple of their stride."""

from keras import ops


def pad_to_multiple(image, multiple):
    """Repeats the last row and column until both sides are multiples of `multiple`.

    Args:
        image: tensor [B, H, W, C] with H, W ≥ 1, static or dynamic.
        multiple: int ≥ 1.

    Returns:
        Tensor [B, H', W', C]; the image itself where its static size already fits.
    """
    for axis in (1, 2):
        size = ops.shape(image)[axis]
        if isinstance(size, int) and size % multiple == 0:
            continue
        # Without negative numbers: divided in ONNX, these are truncated.
        padded = (size + multiple - 1) // multiple * multiple
        positions = ops.minimum(ops.arange(padded), size - 1)
        image = ops.take(image, positions, axis=axis)
    return image
