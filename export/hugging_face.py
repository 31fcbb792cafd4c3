"""Repositories for the Hugging Face Hub: a model's, and a Space's that shows it.

    config.json, weights.safetensors, …    the release, which `yoto_tf.zoo.load` takes
    README.md           its card, with metadata, figures and what to do with it
    app.py              the demo of this model, as a Space runs it
    requirements.txt    what that needs

The same folder is good for a repository of a model and for a Space: the metadata have
what each looks for.
"""

import contextlib
import tempfile
from pathlib import Path

from yoto_tf import __version__, zoo
from yoto_tf.errors import RecipeError
from yoto_tf.export.hugging_face_card import card
from yoto_tf.export.new_folder import new_folder
from yoto_tf.zoo.downloads import one_line
from yoto_tf.zoo.hugging_face import client, parse
from yoto_tf.zoo.release_folder import FILES, write_release

_APP = '''\
"""The demo of this model: on a Space, or anywhere with `python app.py`."""

import os
from pathlib import Path

from yoto_tf.demo.web import launch

launch(
    host="0.0.0.0" if "SPACE_HOST" in os.environ else "127.0.0.1",
    # The Space's own name, under which its page is reached.
    allow_hosts=[name for name in [os.environ.get("SPACE_HOST")] if name],
    models={NAME: Path(__file__).parent},
)
'''


def write(model, directory):
    """Writes the folder of a repository, or uploads it.

    Args:
        model: an object of the zoo.
        directory: the folder, new or empty; or `hf://OWNER/NAME`, a repository that is
            made if it is not there. What is uploaded becomes its newest commit; files
            of a release that was there before and is another's are deleted.

    Returns:
        None, or the handle of the commit, `hf://OWNER/NAME@COMMIT`.

    Raises:
        RecipeError: no model of the zoo; a handle with a revision; huggingface_hub is
            not installed, or the Hub cannot be reached or refuses.
        DataError: the folder cannot be written or is not empty.
    """
    release = getattr(model, "release", None)
    if not hasattr(release, "family"):
        raise RecipeError(
            f"the target huggingface takes models of the zoo, got a "
            f"{type(model).__name__}: Keras itself uploads a network, "
            'network.save("hf://OWNER/NAME")'
        )
    if str(directory).startswith("hf:"):
        return _upload(release, str(directory))
    with new_folder(directory) as folder:
        _fill(release, folder)
    return None


def _fill(release, folder):
    name = zoo.name_of(release)
    write_release(folder, release)
    files = {
        "README.md": card(release, name),
        "app.py": _APP.replace("NAME", repr(name)),
        "requirements.txt": f"yoto_tf[web]=={__version__}\n",
    }
    for path, text in files.items():
        (folder / path).write_text(text, encoding="utf-8", errors="replace")


def _upload(release, handle):
    repository, revision = parse(handle)
    if revision is not None:
        raise RecipeError(f"{handle}: give no revision, the upload is a new one")
    api = client()
    with tempfile.TemporaryDirectory() as temporary:
        _fill(release, Path(temporary))
        with _refusals(handle):
            api.create_repo(repository, exist_ok=True)
            commit = api.upload_folder(
                repo_id=repository,
                folder_path=temporary,
                commit_message=f"{zoo.name_of(release)}, {release.id.hex()}",
                delete_patterns=list(FILES),
            )
    return f"{handle}@{commit.oid}"


@contextlib.contextmanager
def _refusals(handle):
    try:
        yield
    # Its own exceptions, those of its HTTP library and of the operating system.
    except Exception as error:
        status = getattr(getattr(error, "response", None), "status_code", None)
        hint = " (`hf auth login` says who you are)" if status in (401, 403) else ""
        raise RecipeError(
            f"{handle} cannot be written: {one_line(error)}{hint}"
        ) from error
