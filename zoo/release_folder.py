"""Releases on disk; none of it needs Keras.

A release is a folder:

    config.json            format, which is 2; family, id, former ids; ranges of the
                           coefficients; the network as a serialised Keras object,
                           without weights and without the modules of its classes
    weights.safetensors    float16, one array a weight, keyed by its path in the
                           network; or int8 with a scale beside it, see
                           `zoo.quantization`
    tables.safetensors     what must be the same everywhere; only some families have it
    README.md              the model card: data, steps, hours, machine, numbers

Releases of format 1 are read too, see `zoo.release_format_1`.
"""

import dataclasses
import json
import re
from pathlib import Path

from yoto_tf.errors import RecipeError, YotoError
from yoto_tf.machine.atomic_files import write_atomically
from yoto_tf.zoo import array_file, release_format_1
from yoto_tf.zoo.network_config import check_network, without_modules
from yoto_tf.zoo.quantization import SUFFIX
from yoto_tf.zoo.release import Release

_FORMAT = 2
_LARGEST_TEXT = 2**22


def write_release(directory, release):
    """Writes a release into a new or existing folder, each file whole or not at all.

    Raises:
        DataError: a file cannot be written.
    """
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    write_atomically(directory / array_file.WEIGHTS, array_file.pack(release.weights))
    if release.tables:
        write_atomically(directory / array_file.TABLES, array_file.pack(release.tables))
    write_atomically(directory / "README.md", release.card.encode(errors="replace"))
    config = {
        "format": _FORMAT,
        "family": release.family,
        "id": release.id.hex(),
        "former_ids": [former.hex() for former in release.former_ids],
        "ranges": release.ranges,
        "network": release.config,
    }
    # Last, since it is what makes a folder a release.
    text = json.dumps(config, indent=2) + "\n"
    write_atomically(directory / "config.json", text.encode())
    # Files that another release may have left here.
    stale = [release_format_1.WEIGHTS, release_format_1.TABLES]
    for name in stale if release.tables else [*stale, array_file.TABLES]:
        (directory / name).unlink(missing_ok=True)


def read_release(directory, check=None):
    """Reads a release's folder.

    Args:
        directory: the folder.
        check: function of (family, network, {path: shape of the weight}), called before
            the arrays are read; see `yoto_tf.zoo.release.check_shapes`.

    Raises:
        RecipeError: no release there, a damaged one, or one of a format or with classes
            that this version does not know; and what `check` raises.
    """
    directory = Path(directory)
    texts = _read_texts(directory)
    old = texts.format == 1
    network = without_modules(texts.network) if old else texts.network
    check_network(texts.family, network)
    reader = release_format_1 if old else array_file
    try:
        shapes = reader.read_shapes(directory / reader.WEIGHTS)
        if check is not None:
            values = {p: shapes[p] for p in shapes if not p.endswith(SUFFIX)}
            check(texts.family, network, values)
        weights = reader.read_arrays(directory / reader.WEIGHTS)
        tables = {}
        if (directory / reader.TABLES).exists():
            reader.read_shapes(directory / reader.TABLES)
            tables = reader.read_arrays(directory / reader.TABLES)
    except YotoError:
        raise
    except FileNotFoundError as error:
        raise _missing(directory, error) from error
    # Damaged bytes make the readers raise a dozen kinds of exception.
    except Exception as error:
        raise _damaged(directory, error) from error
    release = Release(
        texts.family,
        network,
        texts.ranges,
        weights,
        tables,
        texts.card,
        # Files that were written under the old id stay readable.
        (texts.id,) if old else texts.former_ids,
    )
    content = release.id
    if old:
        content = release_format_1.release_id(texts.network, weights, tables)
    if content != texts.id:
        raise RecipeError(
            f"{directory} is a damaged release: its content makes the id "
            f"{content.hex()}, it says {texts.id.hex()}"
        )
    return release


@dataclasses.dataclass(frozen=True)
class Summary:
    """What is known of a release without reading its weights.

    Attributes:
        family: see `Release`.
        id: likewise; of a release of format 1 its id in that format.
        former_ids: likewise.
        ranges: likewise.
        headline: the card's first line of text below its title, or an empty string.
    """

    family: str
    id: bytes
    former_ids: tuple[bytes, ...]
    ranges: dict
    headline: str


def read_summary(directory):
    """Reads the `Summary` of a release's folder.

    Raises:
        RecipeError: no release there, or a damaged one.
    """
    texts = _read_texts(Path(directory))
    lines = (line.strip() for line in texts.card.splitlines())
    headline = next((line for line in lines if line and line[0] != "#"), "")
    return Summary(texts.family, texts.id, texts.former_ids, texts.ranges, headline)


@dataclasses.dataclass(frozen=True)
class _Texts:
    """The parsed config.json, and the card."""

    format: int
    family: str
    id: bytes
    former_ids: tuple[bytes, ...]
    ranges: dict
    network: dict
    card: str


def _read_texts(directory):
    try:
        config = json.loads(_read_text(directory / "config.json"))
        if config.get("format", 1) not in (1, _FORMAT):
            raise RecipeError(
                f"{directory} is a release of format {config['format']!r}, this "
                f"version reads 1 and {_FORMAT}"
            )
        card = directory / "README.md"
        return _Texts(
            format=config.get("format", 1),
            family=config["family"],
            id=_id(config["id"]),
            former_ids=tuple(map(_id, config.get("former_ids", ()))),
            ranges={
                name: (float(low), float(high))
                for name, (low, high) in config["ranges"].items()
            },
            network=config["network"],
            card=_read_text(card) if card.exists() else "",
        )
    except FileNotFoundError as error:
        raise _missing(directory, error) from error
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
    ) as error:
        raise _damaged(directory, error) from error


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


def _missing(directory, error):
    name = Path(error.filename).name
    return RecipeError(f"{directory} is not a released model: {name} is missing")


def _damaged(directory, error):
    reason = f"{type(error).__name__}: {error}".partition("\n")[0]
    return RecipeError(f"{directory} is a damaged release ({reason})")
