"""Pretrained loss-conditional models, and the recipes that trained them.

>>> import yoto_tf as yoto
>>> codec = yoto.zoo.load("codec")
"""

import difflib
from pathlib import Path

from yoto_tf.errors import RecipeError
from yoto_tf.zoo.families import all_families, family_named
from yoto_tf.zoo.release_summary import read_summary
from yoto_tf.zoo.training import train

__all__ = [
    "evaluate",
    "load",
    "name_of",
    "names",
    "release_of",
    "summaries",
    "train",
]


def names():
    """{name: directory} of the pretrained models that are installed.

    Raises:
        RecipeError: two of one name, or see `yoto_tf.zoo.families.all_families`.
    """
    found = {}
    for family in all_families().values():
        for name, directory in family.released().items():
            if name in found:
                raise RecipeError(
                    f"two pretrained models are called {name}: {found[name]} and "
                    f"{directory}"
                )
            found[name] = directory
    return found


def summaries():
    """{name: Summary} of the pretrained models, read without NumPy or Keras."""
    return {name: read_summary(folder) for name, folder in names().items()}


def name_of(release):
    """The name under which a `Release` is pretrained; its family's if it is not."""
    known = (name for name, found in summaries().items() if found.id == release.id)
    return next(known, release.family)


def release_of(name, check=None):
    """Reads a pretrained model's `Release`, without Keras.

    Args:
        name: a pretrained name (see `names`), the directory of a release or of an
            exported SavedModel, or a handle (see `yoto_tf.zoo.handles.fetch`).
        check: see `yoto_tf.zoo.release_folder.read_release`.

    Raises:
        RecipeError: no such model, or one that cannot be fetched.
    """
    from yoto_tf.zoo.release_folder import read_release

    pretrained = names()
    directory = pretrained.get(name)
    if directory is None:
        if "://" in str(name):
            from yoto_tf.zoo.handles import fetch

            directory = fetch(str(name))
        else:
            directory = Path(name)
        if not directory.is_dir():
            near = difflib.get_close_matches(str(name), pretrained, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise RecipeError(
                f"no pretrained model or directory {str(name)!r}; pretrained are "
                f"{', '.join(pretrained) or 'none'}.{hint}"
            )
    if (directory / "saved_model.pb").exists():
        directory = directory / "release"
        if not directory.is_dir():
            raise RecipeError(f"{name} is a SavedModel, but without a release/ in it")
    try:
        return read_release(directory, check)
    except RecipeError as error:
        if "://" not in str(name):
            raise
        raise RecipeError(
            f"{error}; delete the folder, and {name} is downloaded again"
        ) from error


def load(name, **options):
    """Loads a pretrained model.

    Args:
        name: a pretrained name (see `names`), the directory of a release or of an
            exported SavedModel, or a handle such as `https://HOST/codec/1.tar.gz` or
            `hf://OWNER/NAME@REVISION` (see `yoto_tf.zoo.handles.fetch`), which is
            downloaded once.
        **options: `precision`, the Keras dtype policy of the network: `"float32"`
            (default) or `"mixed_bfloat16"`.

    Returns:
        The family's object, such as `yoto_tf.zoo.codec.Codec`; its `.model` is the
        plain Keras model.

    Raises:
        RecipeError: no such model, or one that cannot be fetched.
    """
    from yoto_tf.zoo.release import check_shapes

    release = release_of(name, check_shapes)
    return family_named(release.family).resolve("model")(release, **options)


def evaluate(name, spec):
    """Evaluates a pretrained model on a set of pictures, by its family's measures.

    Args:
        name: see `load`.
        spec: a folder, a glob or `tfds:NAME[:SPLIT]`.

    Returns:
        The `Evaluation` of the family.

    Raises:
        RecipeError: no such model, or one of a family without measures.
        DataError: no such pictures.
    """
    model = load(name)
    evaluation = family_named(model.release.family).resolve("evaluation")
    if evaluation is None:
        raise RecipeError(
            f"{name} is of the family {model.release.family}, which has no evaluation"
        )
    return evaluation(model, spec, name)
