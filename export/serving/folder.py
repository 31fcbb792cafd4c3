"""A folder that TensorFlow Serving serves.

DIRECTORY/models/NAME/VERSION/     the SavedModel, with requests to warm up with
DIRECTORY/models.config            versions that are loaded, and their labels
DIRECTORY/batching.config
DIRECTORY/docker-compose.yaml
DIRECTORY/README.md
"""

import re
from pathlib import Path

from yoto_tf.errors import RecipeError
from yoto_tf.export.families import describe
from yoto_tf.export.new_folder import new_folder
from yoto_tf.export.saved_model import write_saved_model
from yoto_tf.export.serving import configuration
from yoto_tf.export.serving.warmup import write_warmup
from yoto_tf.export.versions import check_new, check_version
from yoto_tf.machine.atomic_files import write_atomically

_NAME = re.compile(r"[A-Za-z0-9_][\w.-]*")


def write(model, directory, name=None, version=1, height=None, width=None):
    """Writes a version of a model into a new or existing serving folder.

    Args:
        model: what `write_saved_model` takes.
        directory: the serving folder; it may hold other models and versions.
        name: what clients ask for; without it, the model's own.
        version: integer ≥ 1. Servers take the largest to be the newest.
        height, width: of the pictures, in pixels, for a server that joins requests;
            None for pictures of any size, of which none can be joined. One folder has
            models of one kind.

    Returns:
        The path of the version.

    Raises:
        RecipeError: a malformed name, version or size; a folder of models of the other
            kind; a version that exists, since servers
            and clients rely on versions that never change; or a models.config that
            cannot be read.
        DataError: a file cannot be written.
    """
    check_version(version)
    name = name or describe(model).name
    if not _NAME.fullmatch(name):
        raise RecipeError(f"name {name!r}: expected letters, digits, '_', '.', '-'")
    target = Path(directory, "models", name, str(version))
    check_new(target)
    joins = height is not None or width is not None
    batching = configuration.JOINING if joins else configuration.BATCHING
    _check_kind(directory, joins)
    config = Path(directory, "models.config")
    text = configuration.with_version(_content(config), name, version)
    with new_folder(target) as folder:
        write_saved_model(model, folder, height=height, width=width)
        write_warmup(folder, name)
    for file, content in (
        ("batching.config", batching),
        ("docker-compose.yaml", configuration.compose(joins)),
        ("README.md", configuration.README.format(name=name)),
    ):
        # A file that exists may have been adapted to the machine.
        if not Path(directory, file).exists():
            write_atomically(Path(directory, file), content.encode())
    # Last, since it is what makes a server load the version.
    write_atomically(config, text.encode())
    return target


def _content(config):
    """The text of models.config, empty if there is none yet."""
    try:
        return config.read_text("utf-8") if config.exists() else ""
    except (OSError, ValueError) as error:
        raise RecipeError(f"cannot read {config}, expected UTF-8: {error}") from error


def _check_kind(directory, joins):
    """One batching.config holds for all models of a server.

    Raises:
        RecipeError: the folder has models of the other kind.
    """
    compose = Path(directory, "docker-compose.yaml")
    if not compose.exists():
        return
    others_join = "--enable_batching=true" in _content(compose)
    if others_join != joins:
        kinds = ("of any size", "of one size, whose requests are joined")
        raise RecipeError(
            f"{directory} has models for pictures {kinds[others_join]}, expected "
            "another folder"
        )
