"""Versions of an exported model: whole numbers, and never written a second time."""

from yoto_tf.errors import RecipeError


def check_version(version):
    """Raises RecipeError unless the version is an integer ≥ 1."""
    if not isinstance(version, int) or version < 1:
        raise RecipeError(f"version {version!r}: expected a whole number from 1")


def check_new(path):
    """Raises RecipeError for the path of a version that exists.

    Who has loaded a version takes for granted that it stays as it is.
    """
    if path.exists():
        raise RecipeError(
            f"{path} exists, and a version never changes: give another version"
        )
