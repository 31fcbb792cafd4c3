"""A page with sliders that stylises in the visitor's browser; any web host will do.

    index.html, *.css, *.js     the page, `site/` beside this file
    photograph.jpg              what it shows first
    styles/                     what each style makes of it
    network/                    the stylizer, see `yoto_tf.export.web.graph_model`
    runtime/                    TensorFlow.js, see `yoto_tf.export.web.runtime`
    yoto.json                   see `yoto_tf.export.manifest`; "files" has the bytes

Nothing is computed elsewhere and nothing is loaded from another host.
"""

import tempfile
from pathlib import Path

from yoto_tf.errors import RecipeError
from yoto_tf.export.families import describe
from yoto_tf.export.manifest import manifest
from yoto_tf.export.new_folder import new_folder
from yoto_tf.export.saved_model import check_backend
from yoto_tf.export.sizes import with_sizes
from yoto_tf.export.web import runtime
from yoto_tf.export.web.graph_model import write_graph_model
from yoto_tf.zoo.families import all_families


def write(model, directory):
    """Writes the folder of a web page.

    Args:
        model: one of a family that has such a page: a
            `yoto_tf.zoo.stylization.Stylizer`.
        directory: the folder to write; it may exist if it is empty.

    Raises:
        RecipeError: another model, another backend than TensorFlow's, or no npm.
        DataError: TensorFlow.js cannot be fetched, or the folder cannot be written or
            is not empty.
    """
    check_backend()
    exportable = describe(model)
    family = all_families().get(exportable.family)
    write_page = family and family.resolve("web_page")
    if write_page is None:
        shown = [f"{f.noun}s" for f in all_families().values() if f.web_page]
        raise RecipeError(
            f"target web shows {' and '.join(shown)}, {exportable.name} is of the "
            f"family {exportable.family}"
        )
    exportable = with_sizes(exportable, batch=1)
    with new_folder(directory) as folder, tempfile.TemporaryDirectory() as downloads:
        runtime.fetch(folder / "runtime", Path(downloads))
        write_graph_model(
            exportable.endpoints[exportable.default],
            exportable.network.variables,
            folder / "network",
        )
        write_page(exportable, folder)
        files = {
            path.relative_to(folder).as_posix(): path.stat().st_size
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        (folder / "yoto.json").write_bytes(manifest(exportable, files=files))
