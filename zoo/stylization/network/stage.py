"""One convolution of the style network with all that goes with it."""

import keras
from keras import layers, ops

from yoto_tf.layers import ConditionalInstanceNormalization, FiLM
from yoto_tf.machine.compilation import is_local_inference


class Stage(layers.Layer):
    """(Doubling ·) padding · convolution · CIN (· ReLU).

    Doubled by its nearest neighbours, features bring along their images around the
    Nyquist frequency, which styles turn into a weave of every fourth pixel. Averages of
    neighbours, which interpolate linearly, leave next to nothing of these.

    Args:
        filters: output channels C.
        size: side of the kernel, odd; 3 where `double`.
        stride: of the convolution.
        double: whether height and width are doubled before it, every pixel four times.
        average: whether doubled lines are averaged with the one before, −1, with the
            one after, 1, or not at all, 0. One each way keeps a picture in its place.
        activate: whether a ReLU follows.

    Inputs: features [B, H, W, C'], modulation float32 [B, E + 2C] (see `StyleFiLM`).
    Output: [B, H', W', C] in the compute dtype.
    """

    def __init__(
        self,
        filters,
        size,
        stride=1,
        double=False,
        average=0,
        activate=True,
        **kwargs,
    ):
        # The modulation keeps its precision; the convolution casts its own input.
        super().__init__(autocast=False, **kwargs)
        self.filters = filters
        self.size = size
        self.stride = stride
        self.double = double
        self.average = average
        self.activate = activate
        self.convolution = layers.Conv2D(
            filters,
            size,
            stride,
            # Instance normalisation would subtract a bias again.
            use_bias=False,
            name="convolution",
        )
        # Stronger than the layer's default: the dials have to keep up with the style's
        # own parameters, which nothing holds back.
        self.normalization = StyleNormalization(strength=0.5, name="normalization")

    def build(self, features_shape, modulation_shape):
        self.convolution.build(features_shape)
        self.normalization.build((None, None, None, self.filters), modulation_shape)

    def call(self, features, modulation):
        features = self.normalization(self.convolve(features), modulation)
        return ops.relu(features) if self.activate else features

    def convolve(self, features, pad_rows=True):
        """The convolution, before normalisation.

        Without `pad_rows` the rows have been padded already, before they are doubled;
        that is for local inference only.
        """
        if self.double and is_local_inference():
            kernel = self.convolution.kernel
            features = ops.cast(features, self.compute_dtype)
            return doubled_and_convolved(features, kernel, self.average, pad_rows)
        if self.double and self.average:
            return self.convolution(averaged(features, self.average, pad_rows))
        if self.double:
            features = doubled(features)
        features = reflected(features, self.size // 2, pad_rows)
        return self.convolution(features)

    def compute_output_shape(self, features_shape, modulation_shape):
        def scaled(length):
            return length and length * (2 if self.double else 1) // self.stride

        batch, height, width, _ = features_shape
        return batch, scaled(height), scaled(width), self.filters


class StyleFiLM(FiLM):
    """FiLM whose scale and shift have a part that belongs to the style alone.

    Input: a modulation [B, E + 2C], the embedding of style and coefficients followed by
    the style's own scales and shifts, which are added to those that the embedding
    gives.
    """

    def build(self, inputs_shape, modulation_shape):
        self.style_size = 2 * inputs_shape[-1]
        super().build(inputs_shape, (None, modulation_shape[-1] - self.style_size))

    def scale_and_shift(self, modulation):
        embedding = modulation[:, : -self.style_size]
        scale, shift = super().scale_and_shift(embedding)
        of_style = ops.split(modulation[:, -self.style_size :], 2, axis=-1)
        return scale + of_style[0], shift + of_style[1]


@keras.saving.register_keras_serializable(package="yoto_tf.stylization")
class StyleNormalization(ConditionalInstanceNormalization):
    """Conditional instance normalisation by a modulation, see `StyleFiLM`.

    References: as for its base class; a style's own parameters are those of Dumoulin
    et al. (2017), the function of the embedding is that of Babaeizadeh & Ghiasi (2020).
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        del self.film
        self.film = StyleFiLM(self.strength, dtype=self.dtype_policy, name="film")

    def scale_and_shift(self, modulation, mean, variance):
        """Scale and shift, float32 [B, C], for features with these moments [C]."""
        scale, shift = self.film.scale_and_shift(modulation)
        # Features come from a convolution, which computes as the layer does.
        scale = scale * self.inverse_deviation(mean, variance, self.compute_dtype)
        return scale, shift - mean * scale


def doubled(features):
    """[B, H, W, C] to [B, 2H, 2W, C], every pixel four times."""
    batch, height, width, channels = ops.shape(features)
    # Copied, not broadcast: to six axes devices and browsers do that slowly.
    features = ops.concatenate([features, features], axis=-1)
    features = ops.reshape(features, (batch, height, 1, 2 * width * channels))
    features = ops.concatenate([features, features], axis=2)
    return ops.reshape(features, (batch, 2 * height, 2 * width, channels))


def averaged(features, average, pad_rows=True):
    """Doubled features whose lines are averaged with their neighbours, and a margin.

    Args:
        features: [B, H, W, C].
        average: with the line before, −1, or the one after, 1.
        pad_rows: whether the rows need a margin; else they have one of 1, and H is
            without it.

    Returns:
        [B, 2H + 2, 2W + 2, C]: beyond the ends the outer lines of `features` go on.
    """
    features = doubled(_with_edges(features, pad_rows))
    # Of the doubled margin, two lines at each end, one is for the convolution.
    first = 0 if average < 0 else 1
    for axis in (1, 2):
        before = _lines(features, axis, first, first - 2)
        after = _lines(features, axis, first + 1, (first - 1) or None)
        features = 0.5 * (before + after)
    return features


def doubled_and_convolved(features, kernel, average=0, pad_rows=True):
    """`doubled`, `reflected` by 1 and convolved, or `averaged` and convolved, at once.

    Doubling is a transposed convolution with a block of 2×2 ones, and the convolution
    after it makes that kernel one of 4×4, with averages one of 5×5: four or six
    products for each pixel instead of nine, and no doubled features. The mirrored
    margin of doubled features repeats the edge of the single ones, so the single ones
    get a margin that repeats their edge.

    Args:
        features: [B, H, W, C].
        kernel: [3, 3, C, C'].
        average, pad_rows: see `averaged`.

    Returns:
        [B, 2H, 2W, C'].
    """
    features = _with_edges(features, pad_rows)
    kernel = _doubling(kernel)
    if average:
        kernel = _doubling(kernel) / 4
    # A transposed convolution mirrors its kernel, and has the output's channels first.
    kernel = ops.transpose(kernel[::-1, ::-1], (0, 1, 3, 2))
    kernel = ops.cast(kernel, features.dtype)
    outputs = ops.conv_transpose(features, kernel, 2, "valid")
    # Cut off is what the margin is for.
    begin, end = {0: (3, -3), -1: (3, -4), 1: (4, -3)}[average]
    return outputs[:, begin:end, begin:end]


def _doubling(kernel):
    """A kernel [K, K, C, C'] after a block of 2×2 ones: [K + 1, K + 1, C, C']."""
    kernel = ops.pad(kernel, ((1, 1), (1, 1), (0, 0), (0, 0)))
    kernel = kernel[1:] + kernel[:-1]
    return kernel[:, 1:] + kernel[:, :-1]


def _with_edges(features, rows=True):
    """[B, H, W, C] with a margin of 1 that repeats the edge."""
    for axis in (1, 2) if rows else (2,):
        ends = _line(features, axis, 0), _line(features, axis, -1)
        features = ops.concatenate([ends[0], features, ends[1]], axis=axis)
    return features


def reflected(features, margin, rows=True):
    """[B, H, W, C] with a mirrored margin, the edge not repeated."""
    axes = (1, 2) if rows else (2,)
    if not is_local_inference():
        margins = [(margin, margin) if axis in axes else (0, 0) for axis in range(4)]
        return ops.pad(features, margins, mode="reflect")
    # The same, several times as fast on the CPU.
    for axis in axes:
        before = [_line(features, axis, at) for at in range(margin, 0, -1)]
        after = [_line(features, axis, -1 - at) for at in range(1, margin + 1)]
        features = ops.concatenate([*before, features, *after], axis=axis)
    return features


def _line(features, axis, index):
    """One row or column; of a negative index from the end."""
    return _lines(features, axis, index, index + 1 or None)


def _lines(features, axis, begin, end):
    """Rows or columns."""
    return features[(*(slice(None),) * axis, slice(begin, end))]
