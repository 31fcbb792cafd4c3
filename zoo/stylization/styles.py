"""Names of styles and mixtures of them, as a user writes them. Needs no Keras."""

import dataclasses
import difflib
import math
from pathlib import Path

import numpy as np

from yoto_tf import zoo
from yoto_tf.errors import DataError, RecipeError, YotoError
from yoto_tf.zoo.families import check_family

# Of what belongs to a style alone, as a release names it.
PARTS = ("embedding", "modulation")


class StyleError(YotoError, ValueError):
    """A style that does not exist, or weights that make no mixture."""


def parse_style(text):
    """`"udnie"` or `"udnie=0.3,great_wave=0.7"` to {name: weight}.

    Raises:
        StyleError: not of that form.
    """
    weights = {}
    for part in text.split(","):
        name, equals, number = (piece.strip() for piece in part.partition("="))
        try:
            weight = float(number) if equals else 1.0
        except ValueError:
            weight = math.nan
        if not name or math.isnan(weight) or name in weights:
            raise StyleError(
                f"expected a style or a mixture such as a=0.7,b=0.3, got {text!r}"
            )
        weights[name] = weight
    return weights


def style_weights(style, styles):
    """The shares, float32 [S], of a style or mixture among `styles`.

    Args:
        style: a name, a text for `parse_style`, or {name: weight}.
        styles: the names that exist, in order.

    Raises:
        StyleError: an unknown name, or a weight that is negative or not finite, or all
            are zero.
    """
    weights = {style: 1.0} if style in styles else style
    if isinstance(weights, str):
        weights = parse_style(weights)
    for name, weight in weights.items():
        if name not in styles:
            near = difflib.get_close_matches(str(name), styles, n=3, cutoff=0.3)
            hint = "nearest:" if near else "expected one of"
            names = ", ".join(near or styles)
            raise StyleError(f"unknown style {name!r}, {hint} {names}")
        if not 0 <= weight < math.inf:
            raise StyleError(f"style weights are numbers ≥ 0, got {name}={weight:g}")
    total = sum(weights.values())
    if not 0 < total < math.inf:
        given = ", ".join(f"{name}={weight:g}" for name, weight in weights.items())
        raise StyleError(f"style weights must not all be zero, got {given or 'none'}")
    shares = [weights.get(name, 0.0) / total for name in styles]
    return np.array(shares, "float32")


def style_names(model="stylization"):
    """Names of a stylizer's styles.

    Args:
        model: a pretrained name or the directory of a release.

    Raises:
        RecipeError: no such model, or no stylizer.
    """
    return list(stylizer_release(model).config["config"]["styles"])


def stylizer_release(model):
    """The `Release` of a stylizer, as `style_names`."""
    release = zoo.release_of(model)
    check_family(model, release, "stylization")
    return release


def vector_of(weights, style):
    """What belongs to a style alone, float32 [V]: its embedding, then its modulation.

    Args:
        weights: {path: array} of a stylizer, not quantised.
        style: one of its names.
    """
    rows = [weights[f"table/{style}_{part}"] for part in PARTS]
    return np.concatenate(rows).astype("float32")


def with_style(release, name, vector):
    """The release of a stylizer with one more style.

    Args:
        release: a `Release` of the family "stylization".
        name: of the new style.
        vector: float32 [V], see `vector_of`.

    Raises:
        RecipeError: it has a style of that name.
        DataError: a vector of another length, or numbers that float16 cannot hold.
    """
    config = release.config["config"]
    if name in config["styles"]:
        raise RecipeError(f"there is a style {name!r} already: rename the painting")
    weights = dict(release.weights)
    paths = [f"table/{config['styles'][0]}_{part}" for part in PARTS]
    sizes = [len(weights[path]) for path in paths]
    vector = np.asarray(vector)
    if vector.shape != (sum(sizes),):
        raise DataError(
            f"expected a style's vector of {sum(sizes)} numbers, got an array "
            f"{list(vector.shape)}"
        )
    with np.errstate(over="ignore"):
        vector = vector.astype("float16")
    if not np.isfinite(vector).all():
        raise DataError(f"style {name!r} has numbers that do not fit into float16")
    for part, row in zip(PARTS, np.split(vector, sizes[:1]), strict=True):
        weights[f"table/{name}_{part}"] = row
    return dataclasses.replace(
        release,
        config={
            **release.config,
            "config": {**config, "styles": [*config["styles"], name]},
        },
        weights=weights,
        former_ids=(),
    )


def name_of(path):
    """The name of the style that a painting's file gives.

    Raises:
        DataError: a name that a mixture could not be written with.
    """
    name = Path(path).stem.replace(" ", "_")
    if not name or set(name) & set("=,/\\"):
        raise DataError(f"{path}: a style's name has none of the characters = , / \\")
    return name
