"""Releases: what a pretrained model consists of.

The weights are rounded before anything is derived from them, so that what was measured
is what is shipped. Nothing but making and building a network needs Keras.
"""

import contextlib
import dataclasses
import functools
import hashlib
import json
import random
import threading

import numpy as np

from yoto_tf.coefficients import deserialize_coefficients
from yoto_tf.errors import CoefficientError, RecipeError, YotoError
from yoto_tf.machine.processes import check_process
from yoto_tf.zoo.families import family_named
from yoto_tf.zoo.network_config import check_network, without_modules
from yoto_tf.zoo.quantization import dequantize

_ID_BYTES = 8


@dataclasses.dataclass(frozen=True, eq=False)
class Release:
    """A pretrained model, as stored.

    Attributes:
        family: name of a `yoto_tf.zoo.families.Family`.
        config: the serialised network, see `yoto_tf.zoo.network_config`.
        ranges: {coefficient: (low, high)}, in the network's order.
        weights: {path: float16 array}; of a kernel in 8 bits an int8 array, and its
            scale under another name, see `yoto_tf.zoo.quantization`.
        tables: {name: array}, possibly empty: what must be the same everywhere.
        card: Markdown.
        former_ids: ids that the same model had before; what was written under them it
            decodes.
        measured: tuple of `yoto_tf.zoo.measurements.Measurement`, possibly empty.
    """

    family: str
    config: dict
    ranges: dict
    weights: dict
    tables: dict
    card: str = ""
    former_ids: tuple[bytes, ...] = ()
    measured: tuple = ()

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

        config = without_modules(keras.saving.serialize_keras_object(network))
        weights = {}
        for path, weight in _by_path(network).items():
            with np.errstate(over="ignore"):
                weights[path] = ops.convert_to_numpy(weight).astype("float16")
            if not np.isfinite(weights[path]).all():
                raise RecipeError(f"weight {path} does not fit into float16")
        return cls(family, config, network.coefficients.ranges(), weights, {})

    @functools.cached_property
    def id(self):
        """8 bytes, a hash of what decides what the model does and of its former ids.

        SHA-256 of a JSON list of family, network, ranges and former ids, then of each
        array: weights before tables, sorted by name, each as a JSON list of its kind,
        name, dtype and shape, and its bytes.
        """
        # Not sorted: the order of the coefficients is that of the vector.
        head = {
            "family": self.family,
            "network": self.config,
            "ranges": {name: list(map(float, r)) for name, r in self.ranges.items()},
            "former_ids": [former.hex() for former in self.former_ids],
        }
        digest = hashlib.sha256(json.dumps(head).encode())
        for kind in ("weights", "tables"):
            for name, array in sorted(getattr(self, kind).items()):
                array = np.asarray(array, array.dtype.newbyteorder("<"), order="C")
                entry = [kind, name, array.dtype.name, list(array.shape)]
                digest.update(json.dumps(entry).encode())
                digest.update(array)
        return digest.digest()[:_ID_BYTES]

    @functools.cached_property
    def coefficients(self):
        """The network's `yoto_tf.Coefficients`, for which Keras is not imported.

        Raises:
            RecipeError: the release has other ranges, or none that can be.
        """
        try:
            found = deserialize_coefficients(self.config["config"].get("coefficients"))
        except CoefficientError as error:
            raise RecipeError(f"the release has no coefficients: {error}") from error
        self._check_ranges(found.ranges())
        return found

    def network(self, precision="float32"):
        """Builds the network under a Keras dtype policy and sets its weights.

        Raises:
            RecipeError: weights or ranges that are not the network's, or a network that
                cannot be built.
            ForkedProcessError: see `yoto_tf.machine.processes`.
        """
        check_process()
        weights = dequantize(self.weights)
        # Before the network takes memory for its own.
        check_shapes(self.family, self.config, shapes_of(weights))
        with _dtype_policy(precision):
            network = _built(self.family, self.config)
        self._check_ranges(network.coefficients.ranges())
        set_weights(network, weights)
        return network

    def _check_ranges(self, ranges):
        if ranges != self.ranges:
            raise RecipeError(
                f"the release has the ranges {self.ranges}, its network {ranges}"
            )


def shapes_of(arrays):
    """{name: shape}."""
    return {name: array.shape for name, array in arrays.items()}


def check_shapes(family, config, shapes):
    """Compares shapes of weights with those of a network, which is not allocated.

    Args:
        family: see `Release`.
        config: likewise.
        shapes: {path: shape} of the weights, without scales.

    Raises:
        RecipeError: a path or shape that is not the network's, or a network that cannot
            be built.
    """
    _compare(_shapes_of_network(family, json.dumps(config)), shapes)


@functools.lru_cache(maxsize=8)
def _shapes_of_network(family, config):
    result = {}

    def build():
        import keras

        try:
            # Within it variables have shapes, and no values.
            with keras.StatelessScope(initialize_variables=False):
                network = _built(family, json.loads(config))
            weights = _by_path(network).items()
            result.update((path, tuple(weight.shape)) for path, weight in weights)
        except YotoError as error:
            errors.append(error)

    # Keras keeps a list of variables without values for each thread: the list of this
    # thread goes when the thread ends. Building draws seeds from Python's generator,
    # which all threads share; its state is put back, so that a user's own seed means
    # the same as without this network.
    errors = []
    thread = threading.Thread(target=build)
    before = random.getstate()
    thread.start()
    thread.join()
    random.setstate(before)
    for error in errors:
        raise error
    return result


def _built(family, config):
    check_network(family, config)
    import keras

    from yoto_tf.machine.keras_settings import usual_settings

    # Importing the model tells Keras of the family's classes.
    family_named(family).resolve("model")
    try:
        with usual_settings():
            network = keras.saving.deserialize_keras_object(config)
            network.build(None)
    # A layer may raise anything for a configuration that it does not allow.
    except Exception as error:
        reason = str(error).strip().partition("\n")[0]
        raise RecipeError(
            f"the {config['class_name']} of this release cannot be built: {reason}"
        ) from error
    return network


@contextlib.contextmanager
def _dtype_policy(name):
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def set_weights(network, weights):
    """Sets a built network's weights from {path: array}.

    Raises:
        RecipeError: a path or shape that is not the network's.
    """
    own = _by_path(network)
    _compare({path: tuple(own[path].shape) for path in own}, shapes_of(weights))
    for path, weight in own.items():
        weight.assign(weights[path].astype("float32"))


def _compare(own, stored):
    """Raises RecipeError where {path: shape} of a network is not what is stored."""
    if own.keys() != stored.keys():
        path = min(own.keys() ^ stored.keys())
        where = "network" if path in own else "stored weights"
        raise RecipeError(f"weights do not match: {path} is in the {where} only")
    for path, shape in own.items():
        if shape != stored[path]:
            raise RecipeError(
                f"weight {path} has shape {shape}, stored is {stored[path]}"
            )


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
    set_weights(network, dequantize(release.weights))


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
