"""The stylizer as a user meets it: photographs and settings to pictures."""

import dataclasses

import numpy as np
from keras import ops

from yoto_tf.errors import DataError
from yoto_tf.machine.compilation import compiled
from yoto_tf.machine.processes import check_process
from yoto_tf.zoo.pixels import as_picture
from yoto_tf.zoo.pretrained import Pretrained
from yoto_tf.zoo.release import Release
from yoto_tf.zoo.stylization.blending import (
    blended,
    checked_mask,
    coefficients_at,
    photograph_at,
)
from yoto_tf.zoo.stylization.color import with_colors_of
from yoto_tf.zoo.stylization.guided_upsampling import smaller, upsample
from yoto_tf.zoo.stylization.network.stripes import stylize_in_stripes
from yoto_tf.zoo.stylization.network.style_network import MINIMUM, STYLE_SIZE
from yoto_tf.zoo.stylization.paintings import scaled
from yoto_tf.zoo.stylization.stroke import AUTO, size_to_paint, stroke_in
from yoto_tf.zoo.stylization.styles import style_weights, vector_of, with_style

# Larger pictures are stylised in stripes: at once they would take over 2 GB.
PIXELS_AT_ONCE = 2**21


@dataclasses.dataclass(frozen=True)
class Setting:
    """What a picture is stylised with.

    Attributes:
        style: {style: share}.
        coefficients: {name: value}, all of them.
    """

    style: dict
    coefficients: dict

    def __str__(self):
        shares = self.style.items()
        names = " + ".join(f"{share:.2g} {name}" for name, share in shares)
        if len(shares) == 1:
            [names] = self.style
        values = (f"{name} {value:.2g}" for name, value in self.coefficients.items())
        return ", ".join([names, *values])


class Stylizer(Pretrained):
    """A pretrained style network with its styles and its dials.

    Args:
        release: a `Release` of the family "stylization".
        precision: Keras dtype policy of the network, `"float32"` or `"mixed_bfloat16"`.

    Attributes:
        model: the Keras network itself.
        coefficients: its `yoto_tf.Coefficients`.
        styles: names of its styles.
        card: the model card, Markdown.

    Example:
        >>> stylizer = yoto_tf.zoo.load("stylization")
        >>> out = stylizer.stylize(image, "starry_night", content=1.0, style_1=0.3)
        >>> out = stylizer.stylize(image, {"starry_night": 0.7, "udnie": 0.3})
        >>> guess = stylizer.with_style("mine", stylizer.predict_style(painting))
        >>> out = guess.stylize(image, "mine")
    """

    family = "stylization"

    def __init__(self, release, precision="float32"):
        super().__init__(release, precision)
        self.styles = self.model.styles
        self._stylize = compiled(self._pixels)

    @classmethod
    def from_network(cls, network, card=""):
        """A stylizer from a trained `StyleNetwork`, whose weights it rounds.

        Raises:
            RecipeError: weights that float16 cannot hold.
        """
        release = Release.from_network(cls.family, network)
        return cls(dataclasses.replace(release, card=card))

    def stylize(
        self,
        image,
        style,
        *,
        preserve_color=False,
        strength=None,
        mask=None,
        outside=None,
        stroke=AUTO,
        **coefficients,
    ):
        """Stylises a picture.

        Args:
            image: uint8 [H, W, 3], H, W ≥ 16. One of which more than two megapixels
                are painted is worked on in stripes, with the statistics of the whole.
            style: a name; or a mixture {name: weight} or "name=weight,name=weight",
                weights ≥ 0, which count by their shares.
            preserve_color: keep the photograph's colours and take only the luminance
                of the stylised picture.
            strength: one dial for those who do not want five: from 0, the photograph,
                through 1, the middle of all ranges, to 2, their ends. None is 1.
            mask: where the style is, uint8 [H, W] or [H, W, 3]: white inside, black
                outside, grey on a soft edge. None for everywhere.
            outside: a style as above for the rest of the picture; None leaves it as it
                is.
            stroke: how many times as large strokes are as the network paints them, at
                least 1. "auto" is 1 up to a shorter side of 768 pixels, and grows with
                it from there: a larger picture looks like itself at that size. Above
                1 the picture is painted smaller by that factor and brought to its size
                with the edges of the photograph; both sides have to be 16 times the
                stroke or more.
            **coefficients: `content=`, `style_1=` (palette and grain) … `style_4=`
                (long strokes); those not named take what `strength` says.

        Returns:
            uint8 [H, W, 3].

        Raises:
            DataError: not such an image or mask, a style outside without a mask, or a
                stroke that is too large for the picture.
            StyleError: an unknown style, or weights that make no mixture.
            CoefficientError: an unknown name or a value out of range.
        """
        check_process()
        image = _checked_image(image)
        small = _at_stroke(image, stroke)
        if outside is not None:
            self.check_outside(outside, mask)
        if mask is not None:
            mask = checked_mask(mask, image)
        coefficients = self._values(strength, coefficients)
        photograph = 0.0 if strength is None else photograph_at(strength)

        def stylized(style):
            picture = self._stylized(small, style, coefficients)
            if small is not image:
                picture = upsample(picture, small, image)
            if preserve_color:
                picture = with_colors_of(image, picture)
            return blended(picture, image, photograph) if photograph else picture

        inside = stylized(style)
        if mask is None:
            return inside
        return blended(image if outside is None else stylized(outside), inside, mask)

    def check_outside(self, style, mask):
        """Refuses a style outside of a mask that `stylize` would refuse.

        Raises:
            DataError: there is no mask.
            StyleError: see `stylize`.
        """
        style_weights(style, self.styles)
        if mask is None:
            raise DataError("expected a mask to tell what is outside")

    def _stylized(self, image, style, coefficients):
        weights = style_weights(style, self.styles)
        vector = self.coefficients.vector(**coefficients)
        if image.shape[0] * image.shape[1] > PIXELS_AT_ONCE:
            return stylize_in_stripes(self.model, image, weights, vector)
        inputs = (image, weights, vector)
        pixels = self._stylize(*(ops.convert_to_tensor(x[None]) for x in inputs))
        return ops.convert_to_numpy(pixels)[0]

    def _values(self, strength, coefficients):
        """{name: value} of the coefficients that are given or that a strength gives."""
        if strength is None:
            return coefficients
        return {**coefficients_at(strength, self.coefficients), **coefficients}

    def predict_style(self, painting):
        """A first guess at the style of a painting that the stylizer has not learned.

        Args:
            painting: uint8 [H, W, 3]; taken at 384 pixels on its shorter side, as those
                that were learned.

        Returns:
            float32 [V], for `with_style`.

        Raises:
            DataError: not such a picture, or the stylizer has no style encoder.
        """
        check_process()
        painting = scaled(as_picture(painting), STYLE_SIZE)
        vector = self.model.predict_style(painting[None] / np.float32(255))
        # As a release holds it.
        vector = ops.convert_to_numpy(vector)[0]
        return vector.astype("float16").astype("float32")

    def style_vector(self, name):
        """What belongs to one of its styles alone, float32 [V], for `with_style`."""
        return vector_of(self.release.weights, name)

    def with_style(self, name, vector):
        """A stylizer with one more style; the others give the same pictures as ever.

        Args:
            name: of the new style.
            vector: float32 [V], of `predict_style`.

        Raises:
            RecipeError: there is a style of that name.
            DataError: a vector of another length.
        """
        release = with_style(self.release, name, vector)
        return type(self)(release, self.model.dtype_policy.name)

    def setting(self, style, *, strength=None, **coefficients):
        """The `Setting` of a style and what else `stylize` takes of these.

        Raises:
            StyleError, CoefficientError: see `stylize`.
        """
        shares = zip(self.styles, style_weights(style, self.styles), strict=True)
        vector = self.coefficients.vector(**self._values(strength, coefficients))
        values = zip(self.coefficients.names, vector, strict=True)
        return Setting(
            {name: _short(share) for name, share in shares if share},
            {name: _short(value) for name, value in values},
        )

    def random_settings(self, count, seed=None, style=None, **coefficients):
        """Draws settings as they were drawn in training, one style each.

        Args:
            count: how many.
            seed: integer ≥ 0 for the same settings again, or None.
            style: see `stylize`; None draws it.
            **coefficients: those that are not to be drawn.

        Returns:
            A list of `Setting`.

        Raises:
            StyleError, CoefficientError: see `stylize`.
        """
        random = np.random.default_rng(seed)
        settings = []
        for _ in range(count):
            drawn = {
                name: float(distribution.quantile(random.random()))
                for name, distribution in self.coefficients.independent.items()
            }
            name = self.styles[random.integers(len(self.styles))]
            settings.append(
                self.setting(
                    name if style is None else style, **{**drawn, **coefficients}
                )
            )
        return settings

    def _pixels(self, image, style, coefficients):
        image = ops.cast(image, "float32") / 255.0
        inputs = {"image": image, "style": style, "coefficients": coefficients}
        image = self.model(inputs, training=False) * 255.0
        return ops.cast(ops.round(image), "uint8")


def _short(value):
    """The digits that float32 holds."""
    return float(f"{value:.7g}")


def _checked_image(image):
    image = as_picture(image)
    height, width = image.shape[:2]
    if min(height, width) < MINIMUM:
        raise DataError(
            f"expected a picture of at least {MINIMUM}x{MINIMUM} pixels, "
            f"got {width}x{height}"
        )
    return image


def _at_stroke(image, stroke):
    """The picture that the network paints; where it is no smaller, the image itself."""
    height, width = image.shape[:2]
    size = size_to_paint(stroke, height, width)
    if size == (height, width):
        return image
    if min(size) < MINIMUM:
        raise DataError(
            f"expected a stroke of at most {min(height, width) / MINIMUM:.3g} for a "
            f"picture of {width}x{height} pixels, got "
            f"{stroke_in(stroke, height, width):g}"
        )
    return smaller(image, *size)
