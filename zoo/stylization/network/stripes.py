"""Pictures too large for the memory, stripe by stripe, without a seam.

The statistics of instance normalisation are those of the whole picture, so a stripe
cannot be stylised by itself. Here the network runs layer by layer, each layer in
stripes of rows with the rows around them that its kernel reaches: the same numbers as
at once, up to the rounding of the statistics. Of the full size no feature map is ever
held: the first and the last are computed for their statistics and again when read.
"""

import numpy as np
from keras import ops

from yoto_tf.layers.conditional_instance_normalization import exact_moments
from yoto_tf.machine.compilation import local_inference
from yoto_tf.machine.progress import progress_bar
from yoto_tf.zoo.stylization.network.stage import reflected
from yoto_tf.zoo.stylization.network.style_network import MULTIPLE

# Values in a stripe of features; several times as many are in use at once.
STRIPE_VALUES = 2**23


@local_inference()
def stylize_in_stripes(network, image, style, coefficients, values=STRIPE_VALUES):
    """What the network makes of a picture, in little more memory than its features.

    Args:
        network: a built `StyleNetwork`.
        image: uint8 [H, W, 3], both sides at least the network's minimum.
        style: float32 [S].
        coefficients: float32 [K].
        values: about how many a stripe of features has.

    Returns:
        uint8 [H, W, 3].
    """
    height, width = image.shape[:2]
    margins = [(0, -side % MULTIPLE) for side in (height, width)]
    image = np.pad(image, (*margins, (0, 0)), mode="reflect")
    *modulations, colors = network.modulations(style[None], coefficients[None])
    full_size = (network.encoder[0], network.decoder[-1])
    features, skipped = _Picture(image, network), None
    with progress_bar(total=len(modulations) + 1, unit="layer") as progress:
        for stage, modulation in zip(network.stages, modulations, strict=True):
            if stage in network.residual[::2]:
                skipped = features
            features = _FeatureMap(
                features,
                stage,
                modulation,
                values,
                hold=stage not in full_size,
                skipped=skipped if stage in network.residual[1::2] else None,
            )
            progress.update()
        image = _painted(features, network, colors)
        progress.update()
    return image[:height, :width]


class _Picture:
    """The padded picture as the first stage takes it, in rows."""

    def __init__(self, image, network):
        self.shape = image.shape
        self._image = image
        self._network = network

    def rows(self, begin, end):
        """Tensor [1, end - begin, W, C]."""
        return self._network.prepare(self._image[None, begin:end] / np.float32(255))


class _FeatureMap:
    """What a stage makes of another map, in rows: held, or computed when read."""

    def __init__(self, source, stage, modulation, values, hold, skipped):
        height, width = (
            length * (2 if stage.double else 1) // stage.stride
            for length in source.shape[:2]
        )
        self.shape = (height, width, stage.filters)
        # Even, for the stages that double.
        step = max(2, values // (width * stage.filters) // 2 * 2)
        self.stripes = [
            (begin, min(begin + step, height)) for begin in range(0, height, step)
        ]
        self._source = source
        self._stage = stage
        self._held = None
        moments = _Moments()
        for begin, end in self.stripes:
            rows = self._convolved(begin, end)
            moments.add(rows)
            if hold:
                self._hold(begin, end, rows)
        self._scale, self._shift = stage.normalization.scale_and_shift(
            modulation, *moments.as_float32()
        )
        if hold:
            for begin, end in self.stripes:
                rows = self._normalized(self._read(begin, end))
                if skipped is not None:
                    rows = rows + skipped.rows(begin, end)
                self._hold(begin, end, rows)
            self._source = None

    def rows(self, begin, end):
        """Tensor [1, end - begin, W, C]."""
        if self._held is not None:
            return self._read(begin, end)
        return self._normalized(self._convolved(begin, end))

    def _convolved(self, begin, end):
        stage = self._stage
        if stage.double:
            # A mirrored margin of the doubled rows repeats the last of the single ones.
            rows = _rows_around(self._source, begin // 2 - 1, end // 2 + 1, repeat=True)
            return stage.convolve(rows, pad_rows=False)
        margin = stage.size // 2
        first, last = begin * stage.stride, (end - 1) * stage.stride
        rows = _rows_around(self._source, first - margin, last + margin + 1)
        return stage.convolve(rows, pad_rows=False)

    def _normalized(self, rows):
        rows = self._scale * ops.cast(rows, "float32") + self._shift
        rows = ops.cast(rows, self._stage.compute_dtype)
        return ops.relu(rows) if self._stage.activate else rows

    def _hold(self, begin, end, rows):
        rows = ops.convert_to_numpy(rows)
        if self._held is None:
            self._held = np.empty(self.shape, rows.dtype)
        self._held[begin:end] = rows[0]

    def _read(self, begin, end):
        return ops.convert_to_tensor(self._held[None, begin:end])


class _Moments:
    """Mean and variance [C] of stripes of rows, summed up in float64.

    Reference: Chan et al., "Updating Formulae and a Pairwise Algorithm for Computing
    Sample Variances", 1979.
    """

    def __init__(self):
        self._count, self._mean, self._squares = 0, 0.0, 0.0

    def add(self, rows):
        moments = exact_moments(ops.cast(rows, "float32"), (1, 2))
        mean, variance = (
            ops.convert_to_numpy(x)[0, 0, 0].astype("float64") for x in moments
        )
        count = rows.shape[1] * rows.shape[2]
        total = self._count + count
        delta = mean - self._mean
        self._squares += count * variance + delta**2 * (self._count * count / total)
        self._mean += delta * (count / total)
        self._count = total

    def as_float32(self):
        """Mean and variance."""
        variance = self._squares / self._count
        return self._mean.astype("float32"), variance.astype("float32")


def _painted(features, network, modulation):
    """The picture, uint8 [H, W, 3]."""
    painted = np.empty((*features.shape[:2], 3), np.uint8)
    margin = network.colors.kernel_size[0] // 2
    for begin, end in features.stripes:
        rows = _rows_around(features, begin - margin, end + margin)
        pixels = network.paint(reflected(rows, margin, rows=False), modulation)
        pixels = np.rint(ops.convert_to_numpy(pixels)[0] * 255)
        painted[begin:end] = pixels.astype(np.uint8)
    return painted


def _rows_around(features, begin, end, repeat=False):
    """Rows of a map, those beyond its ends mirrored or, with `repeat`, repeated."""
    height = features.shape[0]
    first, last = max(begin, 0), min(end, height)
    rows = features.rows(first, last)
    if (begin, end) == (first, last):
        return rows
    positions = np.arange(begin, end)
    if repeat:
        positions = np.clip(positions, 0, height - 1)
    else:
        positions = height - 1 - np.abs(height - 1 - np.abs(positions))
    return ops.take(rows, positions - first, axis=1)
