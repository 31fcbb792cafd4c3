"""A page that runs a model in the visitor's browser; any web host will do.

    index.html, *.css, *.js     the page, `site/` beside this file
    network/                    its networks, see `yoto_tf.export.web.graph_model`
    runtime/                    TensorFlow.js, see `yoto_tf.export.web.runtime`
    yoto.json                   see `yoto_tf.export.manifest`; "files" has the bytes

and what the page of a family needs besides: see `yoto_tf.export.web.stylizer_page` and
`yoto_tf.export.web.codec_page`. Nothing is computed elsewhere and nothing is loaded
from another host.
"""

import tempfile
from pathlib import Path

from yoto_tf.errors import RecipeError
from yoto_tf.export.families import describe
from yoto_tf.export.manifest import manifest
from yoto_tf.export.new_folder import new_folder
from yoto_tf.export.saved_model import check_backend
from yoto_tf.export.web import runtime
from yoto_tf.zoo.families import all_families


def write(model, directory):
    """Writes the folder of a web page.

    Args:
        model: one of a family that has such a page: a `yoto_tf.zoo.codec.Codec` or a
            `yoto_tf.zoo.stylization.Stylizer`.
        directory: the folder to write; it may exist if it is empty.

    Raises:
        RecipeError: another model, another backend than TensorFlow's, or no npm.
        DataError: TensorFlow.js cannot be fetched, or the folder cannot be written or
            is not empty.
    """
    check_backend()
    page = _page(model)
    with new_folder(directory) as folder, tempfile.TemporaryDirectory() as downloads:
        runtime.fetch(folder / "runtime", Path(downloads))
        page.write(folder)
        files = {
            path.relative_to(folder).as_posix(): path.stat().st_size
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        (folder / "yoto.json").write_bytes(manifest(page.exportable, files=files))


def _page(model):
    """The `yoto_tf.export.web.page.WebPage` of a model."""
    release = getattr(model, "release", None)
    family = all_families().get(getattr(release, "family", None))
    page = family and family.resolve("web_page")
    if page is None:
        exportable = describe(model)
        shown = [f"{f.noun}s" for f in all_families().values() if f.web_page]
        raise RecipeError(
            f"target web shows {' and '.join(shown)}, {exportable.name} is of the "
            f"family {exportable.family}"
        )
    return page(model)
