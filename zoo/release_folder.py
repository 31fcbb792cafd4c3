"""Releases on disk; none of it needs Keras.

A release is a folder:

    config.json    family, id, ranges of the coefficients, and the network as a
                   serialised Keras object without weights
    weights.npz    float16, one array a weight, keyed by its path in the network
    tables.npz     integers that must be the same everywhere; only some families have it
    README.md      the model card: data, steps, hours, machine, numbers
"""

import dataclasses
import io
import json
from pathlib import Path

import numpy as np

from yoto_tf.atomic import write_atomically
from yoto_tf.errors import RecipeError
from yoto_tf.zoo.release import Release


def write_release(directory, release):
    """Writes a release into a new or existing folder, each file whole or not at all.

    Raises:
        DataError: a file cannot be written.
    """
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    write_atomically(directory / "weights.npz", _pack(release.weights))
    if release.tables:
        write_atomically(directory / "tables.npz", _pack(release.tables))
    write_atomically(directory / "README.md", release.card.encode())
    config = {
        "family": release.family,
        "id": release.id.hex(),
        "ranges": release.ranges,
        "network": release.config,
    }
    # Last, since it is what makes a folder a release.
    text = json.dumps(config, indent=2) + "\n"
    write_atomically(directory / "config.json", text.encode())


def read_release(directory):
    """Reads a release's folder.

    Raises:
        RecipeError: no release there, or a damaged one.
    """
    directory = Path(directory)
    config, card = _read_texts(directory)
    try:
        weights = _unpack(directory / "weights.npz")
        tables = directory / "tables.npz"
        tables = _unpack(tables) if tables.exists() else {}
    except FileNotFoundError as error:
        raise _missing(directory, error) from error
    # Damaged bytes make zipfile and numpy raise a dozen kinds of exception.
    except Exception as error:
        raise _damaged(directory, error) from error
    release = Release(
        config["family"], config["network"], config["ranges"], weights, tables, card
    )
    if release.id != config["id"]:
        raise RecipeError(
            f"{directory} is a damaged release: its content makes the id "
            f"{release.id.hex()}, it says {config['id'].hex()}"
        )
    return release


@dataclasses.dataclass(frozen=True)
class Summary:
    """What is known of a release without reading its weights.

    Attributes:
        family: see `Release`.
        id: likewise.
        ranges: likewise.
        headline: the card's first line of text below its title, or an empty string.
    """

    family: str
    id: bytes
    ranges: dict
    headline: str


def read_summary(directory):
    """Reads the `Summary` of a release's folder.

    Raises:
        RecipeError: no release there, or a damaged one.
    """
    config, card = _read_texts(Path(directory))
    lines = (line.strip() for line in card.splitlines())
    return Summary(
        config["family"],
        config["id"],
        config["ranges"],
        next((line for line in lines if line and line[0] != "#"), ""),
    )


def _read_texts(directory):
    """The parsed config.json and the card."""
    try:
        config = json.loads((directory / "config.json").read_text(encoding="utf-8"))
        config = {
            "family": config["family"],
            "id": bytes.fromhex(config["id"]),
            "ranges": {
                name: (float(low), float(high))
                for name, (low, high) in config["ranges"].items()
            },
            "network": config["network"],
        }
        card = directory / "README.md"
        return config, card.read_text(encoding="utf-8") if card.exists() else ""
    except FileNotFoundError as error:
        raise _missing(directory, error) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(directory, error) from error


def _missing(directory, error):
    name = Path(error.filename).name
    return RecipeError(f"{directory} is no released model: {name} is missing")


def _damaged(directory, error):
    reason = f"{type(error).__name__}: {error}"
    return RecipeError(f"{directory} is a damaged release ({reason})")


def _pack(arrays):
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def _unpack(path):
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}
