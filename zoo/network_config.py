"""The network in a release: which classes its configuration may name.

    {"class_name": "Hyperprior", "registered_name": "yoto_tf.codec>Hyperprior",
     "config": {..., "coefficients": {"class_name": "Coefficients", ...}}}

Classes are found by the names they are registered under, which stay when a class moves
to another module. A family lists those of its networks, see `yoto_tf.zoo.families`;
beside them a network has coefficients and their distributions. Whatever else Keras
could build from a configuration, such as a lambda, is refused before it builds
anything.
"""

import reprlib

from yoto_tf.errors import RecipeError
from yoto_tf.registered import CLASSES
from yoto_tf.zoo.families import family_named

_COEFFICIENTS = tuple(
    f"yoto_tf>{name}"
    for module in ("yoto_tf.coefficients", "yoto_tf.distributions")
    for name in CLASSES[module]
)
_KEYS = ("class_name", "registered_name", "config")
# Of a configuration that describes a network which somebody trained.
_DEEPEST = 32
_MOST_VALUES = 20_000
_LONGEST_LIST = 1024
_LARGEST_NUMBER = 2**20


def without_modules(value):
    """A serialised Keras object as releases hold it, at any depth.

    What else Keras adds, about modules, building and compiling, is left out. A class
    that is called otherwise in Python has the name that it is registered under.
    """
    if isinstance(value, dict):
        is_object = "class_name" in value and "config" in value
        keys = _KEYS if is_object else value
        value = {key: without_modules(value[key]) for key in keys if key in value}
        if is_object and isinstance(value.get("registered_name"), str):
            registered = value["registered_name"].partition(">")[2]
            value["class_name"] = registered or value["class_name"]
        return value
    if isinstance(value, (list, tuple)):
        return [without_modules(item) for item in value]
    return value


def check_network(family, config):
    """Checks the configuration of a network that may come from anybody.

    Args:
        family: name of a family of the zoo.
        config: see above.

    Raises:
        RecipeError: no such family, a configuration that names a module or any class
            but the family's own, at any depth, or one of so many or large numbers that
            to build it would take all time or memory.
    """
    check_size(config)
    networks = family_named(family).resolve("networks")
    _check(config, f"a network of the family {family}", networks)
    for value in _objects(config["config"]):
        _check(value, f"{config['class_name']}'s configuration", _COEFFICIENTS)


def check_size(config):
    """Refuses what would take long to build, or even to walk through.

    Raises:
        RecipeError: a configuration of too many or too large values.
    """
    count, left = 0, [(config, "values", 0, False)]
    while left:
        value, name, depth, in_coefficients = left.pop()
        count += 1
        if depth > _DEEPEST or count > _MOST_VALUES:
            raise RecipeError(
                f"a network's configuration has more than {_MOST_VALUES:,} values or "
                f"{_DEEPEST} levels"
            )
        items = ()
        if isinstance(value, dict):
            items = value.items()
        elif isinstance(value, (list, tuple)):
            items = [(name, item) for item in value]
        # Coefficients may lie anywhere and be discrete.
        large = isinstance(value, int) and abs(value) > _LARGEST_NUMBER
        if large and not in_coefficients:
            raise RecipeError(
                f"a network's configuration has {name} = {reprlib.repr(value)}, "
                f"expected at most {_LARGEST_NUMBER:,}"
            )
        if len(items) > _LONGEST_LIST and not in_coefficients:
            raise RecipeError(
                f"a network's configuration has {len(items):,} {name}, expected at "
                f"most {_LONGEST_LIST:,}"
            )
        left += [
            (item, key, depth + 1, in_coefficients or key == "coefficients")
            for key, item in items
        ]


def _objects(value):
    """Yields every serialised object in a configuration."""
    if isinstance(value, dict):
        # A coefficient may be called "module"; its value is never a string.
        if any(isinstance(value.get(key), str) for key in (*_KEYS, "module")):
            yield value
        value = value.values()
    elif not isinstance(value, (list, tuple)):
        return
    for item in value:
        yield from _objects(item)


def _check(value, where, allowed):
    if not isinstance(value, dict):
        raise RecipeError(f"{where} is {reprlib.repr(value)}, expected an object")
    # Keras looks a class up by the first of these names that is there.
    name = value.get("registered_name") or value.get("class_name")
    known = name in allowed and value.get("class_name") == name.partition(">")[2]
    if not known:
        given = value.get("class_name") if name in allowed else name
        raise RecipeError(
            f"{where} names the class {reprlib.repr(given)}, expected one of "
            f"{', '.join(allowed)}"
        )
    if value.keys() != set(_KEYS) or not isinstance(value["config"], dict):
        odd = min(map(str, value.keys() ^ set(_KEYS)), default="config")
        raise RecipeError(
            f"{where}: {name} has {odd} = {reprlib.repr(value.get(odd))}, expected "
            f"{', '.join(_KEYS)}, the last an object"
        )
