"""Releases: what a pretrained model consists of.

The weights are rounded to float16 before anything is derived from them, so that what
was measured is what is shipped. Nothing but making and building a network needs Keras.
"""

import dataclasses
import hashlib
import importlib
import json

import numpy as np

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

    def network(self, precision="float32"):
        """Builds the network under a Keras dtype policy and sets its weights.

        Raises:
            RecipeError: weights that are not the network's.
        """
        import keras

        # With it come the family's classes, which Keras knows from then on.
        _ = importlib.import_module(f"yoto_tf.zoo.{self.family}").Pretrained
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
