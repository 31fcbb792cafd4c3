"""The task of the stylizer."""

import dataclasses
from pathlib import PurePosixPath

from yoto_tf.bulk.tasks.task import Task, release_of, small_picture
from yoto_tf.zoo.pairing import PICTURES_TO_READ
from yoto_tf.zoo.stylization.blending import coefficients_at
from yoto_tf.zoo.stylization.files import WRITTEN, name_to_write
from yoto_tf.zoo.stylization.paintings import paintings_in, seen
from yoto_tf.zoo.stylization.stroke import AUTO, as_stroke
from yoto_tf.zoo.stylization.styles import style_weights


def stylization(
    style,
    model="stylization",
    preserve_color=False,
    strength=None,
    stroke=AUTO,
    **coefficients,
):
    """The `Task` of stylising pictures.

    Args:
        style: see `yoto_tf.zoo.stylization.files.stylize_files`.
        preserve_color, strength, stroke, **coefficients: see
            `yoto_tf.zoo.stylization.Stylizer.stylize`.
        model: a pretrained name or the directory of a release.

    Raises:
        StyleError, CoefficientError: bad settings.
        RecipeError: no such model, or one that is not a stylizer.
    """
    release = release_of(model, "stylization")
    if paintings_in(style):
        from yoto_tf.zoo.stylization.stylizer import Stylizer

        stylizer, style = seen(Stylizer(release), style)
        release = stylizer.release
    style_weights(style, release.config["config"]["styles"])
    release.coefficients.vector(**coefficients)
    if strength is not None:
        coefficients_at(strength, release.coefficients)
    return _Stylization(
        name="stylize",
        release=release,
        how={
            "style": style,
            "preserve_color": preserve_color,
            "strength": strength,
            "stroke": as_stroke(stroke),
            "coefficients": coefficients,
        },
        read=PICTURES_TO_READ,
        written=WRITTEN,
    )


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class _Stylization(Task):
    def renamed(self, name):
        return str(name_to_write(PurePosixPath(name)))

    def start(self):
        from yoto_tf.zoo.stylization.file_conversion import FileStylizer
        from yoto_tf.zoo.stylization.stylizer import Stylizer

        stylizer = Stylizer(self.release)
        coefficients = self.how["coefficients"]
        names = ("strength", "preserve_color", "stroke")
        how = {name: self.how[name] for name in names}
        setting = stylizer.setting(
            self.how["style"], strength=how["strength"], **coefficients
        )
        stylizer.stylize(small_picture(), setting.style)
        return FileStylizer(stylizer, setting, **how)
