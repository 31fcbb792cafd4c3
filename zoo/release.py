"""Releases: what a pretrained model is on disk, and how it is found and loaded.

A release is a folder:

    config.json    family, ranges of the coefficients, and the network as a serialised
                   Keras object without weights
    weights.npz    float16, one array a weight, keyed by its path in the network
    tables.npz     integers that must be the same everywhere; only some families have it
    README.md      the model card: data, steps, hours, machine, numbers

The weights are rounded to float16 before anything is derived from them, so that what
was measured is what is shipped. Reading a release needs no Keras, building its network
does.
"""

import dataclasses
import hashlib
import io
import json
import zipfile
from pathlib import Path

import numpy as np

from yoto_tf.atomic import write_atomically
from yoto_tf.errors import RecipeError

_ID_BYTES = 8


@dataclasses.dataclass(frozen=True, eq=False)
class Release:
    """A pretrained model, as stored.

    Attributes:
        family: "codec", "vae" or "stylization".
        config: the serialised network.
        ranges: {coefficient: (low, high)}, in the network's order.
        weights: {path: float16 array}.
        tables: {name: integer array}, possibly empty.
        card: Markdown.
    """

    family: str
    config: dict
    ranges: dict
    weights: dict
    tables: dict
    card: str = ""

    @classmethod
    def from_network(cls, family, network):
        """A release of a trained, built network, without tables or card yet.

        Args:
            family: see above.
            network: a built Keras model with `coefficients`.

        Raises:
            RecipeError: a weight that float16 cannot hold.
        """
        import keras
        from keras import ops

        config = keras.saving.serialize_keras_object(network)
        # What Keras adds about building and compiling is nobody's business here.
        kept = ("module", "class_name", "registered_name", "config")
        config = json.loads(json.dumps({key: config[key] for key in kept}))
        weights = {}
        for path, weight in _by_path(network).items():
            with np.errstate(over="ignore"):
                weights[path] = ops.convert_to_numpy(weight).astype("float16")
            if not np.isfinite(weights[path]).all():
                raise RecipeError(f"weight {path} does not fit into float16")
        return cls(family, config, network.coefficients.ranges(), weights, {})

    @property
    def id(self):
        """8 bytes that name configuration, weights and tables."""
        digest = hashlib.sha256(_canonical(self.config))
        for arrays in (self.weights, self.tables):
            for name in sorted(arrays):
                array = np.ascontiguousarray(arrays[name])
                digest.update(f"{name} {array.dtype} {array.shape}".encode())
                digest.update(array.tobytes())
        return digest.digest()[:_ID_BYTES]

    @property
    def headline(self):
        """The card's first line of text below its title, or an empty string."""
        lines = (line.strip() for line in self.card.splitlines())
        return next((line for line in lines if line and line[0] != "#"), "")

    def network(self, precision="float32"):
        """Builds the network under a Keras dtype policy and sets its weights.

        Raises:
            RecipeError: weights that are not the network's.
        """
        import keras

        before = keras.config.dtype_policy()
        keras.config.set_dtype_policy(precision)
        try:
            network = keras.saving.deserialize_keras_object(self.config)
        finally:
            keras.config.set_dtype_policy(before)
        network.build(None)
        set_weights(network, self.weights)
        return network


def set_weights(network, weights):
    """Sets a built network's weights from {path: array}.

    Raises:
        RecipeError: a path or shape that is not the network's.
    """
    own = _by_path(network)
    if own.keys() != weights.keys():
        path = min(own.keys() ^ weights.keys())
        where = "network" if path in own else "stored weights"
        raise RecipeError(f"weights do not match: {path} is in the {where} only")
    for path, weight in own.items():
        if tuple(weight.shape) != weights[path].shape:
            raise RecipeError(
                f"weight {path} has shape {tuple(weight.shape)}, "
                f"stored is {weights[path].shape}"
            )
        weight.assign(weights[path].astype("float32"))


def start_from(network, release):
    """Sets a built network's weights to those of a release, to train on from there.

    Raises:
        RecipeError: the network is not the release's, down to its coefficients.
    """
    own = Release.from_network(release.family, network).config
    if own["class_name"] != release.config["class_name"]:
        raise RecipeError(
            f"the recipe builds a {own['class_name']}, the pretrained model is a "
            f"{release.config['class_name']}"
        )
    for name, value in release.config["config"].items():
        if name != "name" and own["config"].get(name) != value:
            raise RecipeError(
                f"the pretrained model has {name} {_brief(value)}, the recipe "
                f"{_brief(own['config'].get(name))}"
            )
    set_weights(network, release.weights)


def write_release(directory, release):
    """Writes a release into a new or existing folder, each file whole or not at all."""
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    config = {
        "family": release.family,
        "ranges": release.ranges,
        "network": release.config,
    }
    text = json.dumps(config, indent=2) + "\n"
    write_atomically(directory / "config.json", text.encode())
    write_atomically(directory / "weights.npz", _pack(release.weights))
    if release.tables:
        write_atomically(directory / "tables.npz", _pack(release.tables))
    write_atomically(directory / "README.md", release.card.encode())


def read_release(directory):
    """Reads a release's folder.

    Raises:
        RecipeError: no release there, or a damaged one.
    """
    directory = Path(directory)
    try:
        config = json.loads((directory / "config.json").read_text(encoding="utf-8"))
        weights = _unpack(directory / "weights.npz")
        tables = directory / "tables.npz"
        card = directory / "README.md"
        return Release(
            config["family"],
            config["network"],
            {name: tuple(bounds) for name, bounds in config["ranges"].items()},
            weights,
            _unpack(tables) if tables.exists() else {},
            card.read_text(encoding="utf-8") if card.exists() else "",
        )
    except FileNotFoundError as error:
        raise RecipeError(
            f"{directory} is no released model: {Path(error.filename).name} is missing"
        ) from error
    except (ValueError, KeyError, OSError, zipfile.BadZipFile) as error:
        raise RecipeError(f"{directory} is a damaged release: {error}") from error


def join_arrays(**groups):
    """{"group": {"name": array}} to one flat dict {"group/name": array}."""
    return {
        f"{group}/{name}": array
        for group, arrays in groups.items()
        for name, array in arrays.items()
    }


def split_arrays(arrays):
    """The inverse of `join_arrays`."""
    groups = {}
    for path, array in arrays.items():
        group, name = path.split("/", 1)
        groups.setdefault(group, {})[name] = array
    return groups


def _by_path(network):
    """{path below the network: weight}, the same in every process."""
    return {
        weight.path.split(f"{network.name}/", 1)[1]: weight
        for weight in network.weights
        if "seed_generator" not in weight.path
    }


def _brief(value):
    """A configured value in one line; of a serialised object, its configuration."""
    if isinstance(value, dict):
        inner = value.get("config", value)
        if not isinstance(inner, dict):
            return str(inner)
        return ", ".join(f"{name}={_brief(part)}" for name, part in inner.items())
    return str(value)


def _canonical(config):
    return json.dumps(config, sort_keys=True).encode()


def _pack(arrays):
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def _unpack(path):
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}
