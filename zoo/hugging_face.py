"""Repositories on the Hugging Face Hub, of which a commit never changes.

Only the files of a release are fetched: data, and none of the code that may lie beside
them. They become a folder of the cache when the release in it is known to be whole.
"""

import re
import shutil
import sys

from yoto_tf.errors import RecipeError, printable
from yoto_tf.zoo.cache import kept
from yoto_tf.zoo.downloads import cannot_be_fetched
from yoto_tf.zoo.limits import Limits, refuse_beyond
from yoto_tf.zoo.release_folder import FILES, read_release

_REPOSITORY = re.compile(r"hf://([\w.-]+/[\w.-]+)(?:@([^\s@#?]+))?")
_COMMIT = re.compile("[0-9a-f]{40}")


def parse(handle):
    """`hf://OWNER/NAME` or `hf://OWNER/NAME@REVISION` as repository and revision.

    Returns:
        "OWNER/NAME", and the revision or None.

    Raises:
        RecipeError: another form.
    """
    match = _REPOSITORY.fullmatch(handle)
    if not match:
        raise RecipeError(
            f"{handle}: expected hf://OWNER/NAME or hf://OWNER/NAME@REVISION"
        )
    return match.groups()


def fetch_repository(handle):
    """The release in a repository, downloaded unless the cache has it.

    Args:
        handle: `hf://OWNER/NAME@REVISION`, the revision a commit, a branch or a tag.
            The last two may point elsewhere tomorrow, and so may a handle without a
            revision: the Hub is asked which commit it is, which is printed and under
            which it is kept. Of a commit of 40 digits that is in the cache nobody is
            asked anything.

    Returns:
        The folder of the release.

    Raises:
        RecipeError: a malformed handle; huggingface_hub is not installed; no such
            repository, revision or whole release; one beyond a limit (see
            `yoto_tf.zoo.limits`).
    """
    repository, revision = parse(handle)
    info = None
    if not _COMMIT.fullmatch(revision or ""):
        info = _info(handle, repository, revision)
        revision = info.sha
    address = f"hf://{repository}@{revision}"
    if info:
        print(printable(f"{handle} is now {address}"), file=sys.stderr, flush=True)

    def download(folder, temporary):
        _check_sizes(address, info or _info(address, repository, revision))
        try:
            client().snapshot_download(
                repository,
                revision=revision,
                local_dir=temporary,
                allow_patterns=list(FILES),
            )
        except Exception as error:
            raise _refusal(address, error) from error
        # What huggingface_hub notes of its own.
        shutil.rmtree(temporary / ".cache", ignore_errors=True)
        try:
            read_release(temporary)
        except RecipeError as error:
            reason = str(error).replace(str(temporary), "it")
            raise RecipeError(f"{address} cannot be used: {reason}") from error

    return kept(address, download)


def client():
    """A `huggingface_hub.HfApi`.

    Raises:
        RecipeError: huggingface_hub is not installed.
    """
    try:
        from huggingface_hub import HfApi
    except ImportError as error:
        raise RecipeError(
            "hf:// needs huggingface_hub, which comes with the extra `huggingface`: "
            "pip install 'yoto_tf[huggingface]', or '.[huggingface]' in a checkout"
        ) from error
    return HfApi()


def _info(address, repository, revision):
    try:
        return client().model_info(repository, revision=revision, files_metadata=True)
    except RecipeError:
        raise
    # Its own exceptions, those of its HTTP library and of the operating system.
    except Exception as error:
        raise _refusal(address, error) from error


def _refusal(address, error):
    from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

    if isinstance(error, RepositoryNotFoundError):
        return RecipeError(
            f"{address} cannot be fetched: there is no such repository that you may "
            "read (`hf auth login` for private ones)"
        )
    if isinstance(error, RevisionNotFoundError):
        return RecipeError(
            f"{address} cannot be fetched: the repository has no such revision"
        )
    return cannot_be_fetched(address, error)


def _check_sizes(address, info):
    """Compares what is to be downloaded with the limits.

    Raises:
        RecipeError: more bytes than these allow.
    """
    most = Limits.from_environment().archive_bytes
    files = (file for file in info.siblings if file.rfilename in FILES)
    if sum(file.size or 0 for file in files) > most:
        raise refuse_beyond("archive_bytes", most, address, "has more than")
