"""The folder of a training: on this machine, or a copy of one in a bucket."""

import contextlib
import dataclasses
import re
import tempfile
import warnings
from pathlib import Path

from yoto_tf.machine.remote import file_system, is_url, refused

# What a training reads of what it has left before.
_READ = ("recipe.json", "log.jsonl", "checkpoints/*.npz")
# What is never copied: the lock, and files that are not whole yet.
_HIDDEN = re.compile(r"(^|/)\.")


@dataclasses.dataclass
class Workdir:
    """A folder that a training reads and writes.

    Attributes:
        name: what the user calls it.
        path: the folder on this machine.
    """

    name: str
    path: Path

    def __str__(self):
        return self.name

    def save(self, required=False):
        """Brings what has been written to where it is to be kept."""


class _Copied(Workdir):
    """A folder whose files are kept in a bucket."""

    def __init__(self, name, path, files, root):
        super().__init__(name, path)
        self._files, self._root = files, root
        self._kept = {}

    def load(self):
        """Brings what a training reads into the folder."""
        for pattern in _READ:
            for found in self._files.glob(f"{self._root}/{pattern}"):
                relative = found[found.index(self._root) + len(self._root) + 1 :]
                target = self.path / relative
                target.parent.mkdir(parents=True, exist_ok=True)
                self._files.get_file(found, str(target))
                self._kept[relative] = _stamp(target)

    def save(self, required=False):
        """Writes files that are new or have changed, then removes those that are gone.

        Args:
            required: whether a failure is an error. Else it is a warning, and the files
                are written the next time.

        Raises:
            DataError: they cannot be written.
        """
        try:
            self._write()
        # Each service has exceptions of its own.
        except Exception as error:
            if required:
                raise refused("write", self.name, error) from error
            warnings.warn(
                f"{refused('write', self.name, error)}; trying again later",
                stacklevel=2,
            )

    def _write(self):
        found = {
            str(file.relative_to(self.path).as_posix()): file
            for file in self.path.rglob("*")
            if file.is_file()
        }
        found = {name: file for name, file in found.items() if not _HIDDEN.search(name)}
        # Checkpoints first: they are what a kill must not lose.
        for name in sorted(found):
            stamp = _stamp(found[name])
            if self._kept.get(name) != stamp:
                self._files.put_file(str(found[name]), f"{self._root}/{name}")
                self._kept[name] = stamp
        for name in self._kept.keys() - found.keys():
            self._files.rm_file(f"{self._root}/{name}")
            del self._kept[name]


@contextlib.contextmanager
def open_workdir(workdir, used=True):
    """Opens the folder of a training.

    Args:
        workdir: a path; a URL that fsspec knows, of whose files a copy is made; or a
            `Workdir` that is open already.
        used: whether this process is the one that reads and writes it.

    Yields:
        A `Workdir`.

    Raises:
        DataError: the URL cannot be read.
    """
    if isinstance(workdir, Workdir):
        yield workdir
    elif not is_url(workdir) or not used:
        yield Workdir(str(workdir), Path(workdir))
    else:
        with tempfile.TemporaryDirectory(prefix="yoto-") as folder:
            try:
                files, root = file_system(workdir)
                opened = _Copied(str(workdir), Path(folder), files, root.rstrip("/"))
                if hasattr(files, "auto_mkdir"):
                    files.auto_mkdir = True
                opened.load()
            # A package that is not installed, a name, rights, the network.
            except Exception as error:
                raise refused("read", workdir, error) from error
            yield opened


def _stamp(file):
    status = file.stat()
    return status.st_size, status.st_mtime_ns
