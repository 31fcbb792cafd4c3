"""What a release's folder says in words, read without NumPy or Keras.

So `yoto list` starts in a fraction of the time that loading a model takes.
"""

import dataclasses
import json
import re
from pathlib import Path

from yoto_tf.errors import RecipeError
from yoto_tf.zoo import measurements
from yoto_tf.zoo.card import own_card

FORMAT = 2
_LARGEST_TEXT = 2**22


@dataclasses.dataclass(frozen=True)
class Summary:
    """What is known of a release without reading its weights.

    Attributes:
        family: see `Release`.
        id: likewise; of a release of format 1 its id in that format.
        former_ids: likewise.
        ranges: likewise.
        headline: the card's first line of text below its title, or an empty string.
        measured: see `Release`.
        bytes: of all files of the folder.
    """

    family: str
    id: bytes
    former_ids: tuple[bytes, ...]
    ranges: dict
    headline: str
    measured: tuple
    bytes: int


def read_summary(directory):
    """Reads the `Summary` of a release's folder.

    Raises:
        RecipeError: no release there, or a damaged one.
    """
    directory = Path(directory)
    texts = read_texts(directory)
    lines = (line.strip() for line in texts.card.splitlines())
    headline = next((line for line in lines if line and line[0] != "#"), "")
    return Summary(
        texts.family,
        texts.id,
        texts.former_ids,
        texts.ranges,
        headline,
        texts.measured,
        sum(path.stat().st_size for path in directory.iterdir() if path.is_file()),
    )


@dataclasses.dataclass(frozen=True)
class ReleaseTexts:
    """What a release's folder says in words: config.json, card and figures."""

    format: int
    family: str
    id: bytes
    former_ids: tuple[bytes, ...]
    ranges: dict
    network: dict
    card: str
    measured: tuple


def read_texts(directory):
    """Reads the `ReleaseTexts` of a release's folder.

    Raises:
        RecipeError: no release there, or a damaged one.
    """
    try:
        config = json.loads(_read_text(directory / "config.json"))
        if config.get("format", 1) not in (1, FORMAT):
            raise RecipeError(
                f"{directory} is a release of format {config['format']!r}, this "
                f"version reads 1 and {FORMAT}"
            )
        card = directory / "README.md"
        measured = directory / measurements.FILE
        return ReleaseTexts(
            format=config.get("format", 1),
            family=config["family"],
            id=_id(config["id"]),
            former_ids=tuple(map(_id, config.get("former_ids", ()))),
            ranges={
                name: (float(low), float(high))
                for name, (low, high) in config["ranges"].items()
            },
            network=config["network"],
            card=own_card(_read_text(card)) if card.exists() else "",
            measured=measurements.parse(_read_text(measured))
            if measured.exists()
            else (),
        )
    except FileNotFoundError as error:
        raise missing(directory, error) from error
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as error:
        raise damaged(directory, error) from error


def _read_text(path):
    with open(path, encoding="utf-8") as file:
        text = file.read(_LARGEST_TEXT + 1)
    if len(text) > _LARGEST_TEXT:
        raise ValueError(f"{path.name} has more than {_LARGEST_TEXT:,} characters")
    return text


def _id(text):
    if not re.fullmatch("[0-9a-f]{16}", text):
        raise ValueError(f"an id is {text!r}, expected 16 hexadecimal digits")
    return bytes.fromhex(text)


def missing(directory, error):
    """The `RecipeError` for a file of a release that is not there."""
    name = Path(error.filename).name
    return RecipeError(f"{directory} is not a released model: {name} is missing")


def damaged(directory, error):
    """The `RecipeError` for a release that cannot be read."""
    reason = f"{type(error).__name__}: {error}".partition("\n")[0]
    return RecipeError(f"{directory} is a damaged release ({reason})")
