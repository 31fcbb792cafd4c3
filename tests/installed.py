"""Packages that tests install by hand: a folder on the path, with its metadata."""

import contextlib
import importlib
import sys

from yoto_tf.zoo.families import GROUP, all_families


@contextlib.contextmanager
def entry_points(folder, **families):
    """Adds a folder to the path, with a distribution that lists families.

    Args:
        folder: where modules are looked for while the context lasts; the metadata of a
            distribution "sharpness-dial 1.0" are written beside them.
        **families: {name of an entry point: what it loads, "module:name"}.
    """
    metadata = folder / "sharpness_dial-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Name: sharpness-dial\nVersion: 1.0\n")
    lines = (f"{name} = {value}\n" for name, value in families.items())
    (metadata / "entry_points.txt").write_text(f"[{GROUP}]\n{''.join(lines)}")
    known = set(sys.modules)
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    all_families.cache_clear()
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in set(sys.modules) - known:
            file = getattr(sys.modules[name], "__file__", None)
            if file and file.startswith(str(folder)):
                del sys.modules[name]
        all_families.cache_clear()
