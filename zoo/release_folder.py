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
    measured.json          figures, see `zoo.measurements`; not of every release

Releases of format 1 are read too, see `zoo.release_format_1`.
"""

import json
from pathlib import Path

from yoto_tf.errors import RecipeError, YotoError
from yoto_tf.machine.atomic_files import write_atomically
from yoto_tf.zoo import array_file, measurements, release_format_1
from yoto_tf.zoo.network_config import check_network, check_size, without_modules
from yoto_tf.zoo.quantization import SUFFIX
from yoto_tf.zoo.release import Release
from yoto_tf.zoo.release_summary import FORMAT, damaged, missing, read_texts

# All that may be in the folder of a release.
FILES = (
    "README.md",
    "config.json",
    measurements.FILE,
    array_file.WEIGHTS,
    array_file.TABLES,
    release_format_1.WEIGHTS,
    release_format_1.TABLES,
)


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
    if release.measured:
        figures = measurements.pack(release.measured)
        write_atomically(directory / measurements.FILE, figures)
    config = {
        "format": FORMAT,
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
    stale += [] if release.tables else [array_file.TABLES]
    stale += [] if release.measured else [measurements.FILE]
    for name in stale:
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
    texts = read_texts(directory)
    old = texts.format == 1
    check_size(texts.network)
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
        raise missing(directory, error) from error
    # Damaged bytes make the readers raise a dozen kinds of exception.
    except Exception as error:
        raise damaged(directory, error) from error
    release = Release(
        texts.family,
        network,
        texts.ranges,
        weights,
        tables,
        texts.card,
        # Files that were written under the old id stay readable.
        (texts.id,) if old else texts.former_ids,
        texts.measured,
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
