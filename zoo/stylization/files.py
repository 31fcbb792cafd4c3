"""Picture files to stylised picture files, one or many, and sheets of settings."""

import dataclasses

from yoto_tf.data import image_files, read_image, write_image
from yoto_tf.errors import DataError
from yoto_tf.machine.inputs import rereadable
from yoto_tf.machine.outputs import check_output, is_read
from yoto_tf.machine.progress import progress_bar
from yoto_tf.zoo.conversion import convert_files
from yoto_tf.zoo.pairing import PICTURES, PICTURES_TO_READ, Kind, pair_files
from yoto_tf.zoo.stylization.blending import read_mask
from yoto_tf.zoo.stylization.file_conversion import FileStylizer
from yoto_tf.zoo.stylization.paintings import paintings_in, seen
from yoto_tf.zoo.stylization.stroke import AUTO, as_stroke
from yoto_tf.zoo.stylization.styles import stylizer_release
from yoto_tf.zoo.stylization.video import SUFFIXES as VIDEO_SUFFIXES

WRITTEN = Kind(PICTURES.suffixes | VIDEO_SUFFIXES, PICTURES.expected)


def stylize_files(
    source,
    target,
    style,
    model="stylization",
    preserve_color=False,
    precision="float32",
    *,
    strength=None,
    mask=None,
    outside=None,
    stroke=AUTO,
    clobber=True,
    **coefficients,
):
    """Stylises a picture file, or all that folders or globs stand for.

    Animations (GIF, WebP) that are written as such are stylised frame by frame, and so
    are videos (MP4, MOV, MKV; the extra `video`), which keep their sound. Of a
    picture that is transparent in part the stylised one is too, where its format can
    hold that; what lies behind is stylised as if it were on white.

    Args:
        source: a picture file, a folder (searched recursively) or a glob; or a list of
            them.
        target: the picture file to write, or a folder for it; for many files a folder,
            made if need be, see `yoto_tf.zoo.pairing`.
        style: see `Stylizer.stylize`; in place of a name also the file of a painting,
            whose style is then guessed at sight, see `Stylizer.predict_style`.
        model: a pretrained name or the directory of a release.
        preserve_color: see `Stylizer.stylize`.
        precision: see `Stylizer`.
        strength: see `Stylizer.stylize`.
        mask: a picture file of the size of the pictures, see `Stylizer.stylize`.
        outside: a style for what is outside of the mask, likewise.
        stroke: see `Stylizer.stylize`.
        clobber: whether pictures that exist are replaced.
        **coefficients: see `Stylizer.stylize`.

    Returns:
        A `ConversionReport`, of files {"input", "output", "style", "coefficients",
        "stroke"}, see `FileStylizer`.

    Raises:
        DataError: the one file cannot be read, stylised or written, or there are none.
        StyleError, CoefficientError: bad settings.
        RecipeError: no such model, or one that is not a stylizer.
    """
    found = pair_files(
        source, target, image_files, PICTURES_TO_READ, WRITTEN, name_to_write
    )
    stroke = as_stroke(stroke)
    for painting in [*paintings_in(style), *paintings_in(outside or {})]:
        _check_is_kept(painting, "a painting to look at", found.pairs)
    if mask is not None:
        _check_is_kept(mask, "the mask", found.pairs)
        mask = read_mask(mask)
    stylizer, style = seen(_stylizer(model, precision), style)
    if outside is not None:
        stylizer, outside = seen(stylizer, outside)
    setting = stylizer.setting(style, strength=strength, **coefficients)
    if outside is not None:
        # Refused once, rather than for each of many pictures.
        stylizer.check_outside(outside, mask)

    convert = FileStylizer(
        stylizer,
        setting,
        precision,
        once=not found.many,
        preserve_color=preserve_color,
        strength=strength,
        mask=mask,
        outside=outside,
        stroke=stroke,
    )
    return convert_files(
        found.pairs,
        found.many,
        convert,
        clobber=clobber,
        written=WRITTEN,
        skipped=found.skipped,
    )


def write_contact_sheet(
    source,
    target,
    count,
    style=None,
    model="stylization",
    preserve_color=False,
    precision="float32",
    seed=None,
    stroke=AUTO,
    **coefficients,
):
    """Draws settings and writes a sheet of what they make of one picture.

    Args:
        source: a picture file.
        target: the picture file to write.
        count: how many settings.
        style: as in `stylize_files`, or None to draw styles too.
        model, preserve_color, precision: see `stylize_files`.
        seed: integer ≥ 0 for the same settings again, or None.
        stroke: see `Stylizer.stylize`.
        **coefficients: those that are not to be drawn.

    Returns:
        A list of {"style", "coefficients"}, in the order of the sheet.

    Raises:
        As `stylize_files`.
    """
    from yoto_tf.imaging.contact_sheet import contact_sheet

    if count < 1:
        raise DataError(f"expected 1 or more random settings, got {count}")
    stroke = as_stroke(stroke)
    paintings = [] if style is None else paintings_in(style)
    kept = [source, *paintings]
    check_output(target, PICTURES.suffixes, PICTURES.expected, kept)
    image = read_image(rereadable(source))
    stylizer = _stylizer(model, precision)
    if style is not None:
        stylizer, style = seen(stylizer, style)
    settings = stylizer.random_settings(count, seed, style, **coefficients)
    try:
        pictures = [
            stylizer.stylize(
                image,
                setting.style,
                preserve_color=preserve_color,
                stroke=stroke,
                **setting.coefficients,
            )
            for setting in progress_bar(settings, unit="picture")
        ]
    except DataError as error:
        raise DataError(f"{source}: {error}") from error
    write_image(target, contact_sheet(pictures, map(str, settings)))
    return [dataclasses.asdict(setting) for setting in settings]


def _check_is_kept(file, what, pairs):
    for _, output in pairs:
        if is_read(output, file):
            raise DataError(f"{output} is {what}, expected another file to write")


def name_to_write(path):
    """The path of a picture to write: JPEG where its own format is only read."""
    if path.suffix.lower() in WRITTEN.suffixes:
        return path
    return path.with_suffix(".jpg")


def _stylizer(model, precision):
    from yoto_tf.zoo.stylization.stylizer import Stylizer

    return Stylizer(stylizer_release(model), precision)
