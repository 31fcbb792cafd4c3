"""Which file is written for each that is read.

A folder or a glob stands for many files, and several names do so too: they are written
into a folder. What lies in one folder or matches one glob keeps its relative name
there. Of several names each brings its files under its own name, as `cp -r` does.
"""

import dataclasses
import glob
import os
from pathlib import Path

from yoto_tf.data.images import READ_SUFFIXES, SUFFIXES
from yoto_tf.errors import DataError
from yoto_tf.machine.inputs import rereadable
from yoto_tf.machine.outputs import check_output, is_read


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of files.

    Attributes:
        suffixes: what their names end in, lower case.
        expected: that in words.
    """

    suffixes: frozenset[str]
    expected: str


PICTURES = Kind(SUFFIXES, "a picture suffix such as .png or .jpg")
PICTURES_TO_READ = Kind(READ_SUFFIXES, "a picture suffix such as .png or .jpg")


@dataclasses.dataclass(frozen=True)
class Pairs:
    """What is to be done.

    Attributes:
        pairs: list of (input, output), paths.
        many: whether there may be many, even if there is one.
        skipped: names of files in folders that are not of the kind that is read.
    """

    pairs: list[tuple]
    many: bool
    skipped: list[str] = dataclasses.field(default_factory=list)


def pair_files(source, target, list_files, read, written, rename):
    """Pairs the files to read with those to write.

    Args:
        source: a file, a folder or a glob, or a list of them.
        target: the file to write, or a folder for it; for many files a folder, made if
            need be.
        list_files: function of a folder or glob to its files.
        read: the `Kind` of the inputs in a folder.
        written: the `Kind` of the outputs.
        rename: function of the path of an input to that of its output in a folder.

    Returns:
        `Pairs`.

    Raises:
        DataError: an output that cannot be written, that is or would be an input, or
            that has the suffix of another kind of file.
    """
    sources = list(source) if isinstance(source, list | tuple) else [source]
    for name in (*sources, target):
        if not os.fspath(name):
            raise DataError("expected the name of a file or folder, got ''")
    if len(sources) == 1 and _is_file(sources[0]):
        [source] = sources
        output, is_new = target, False
        if os.path.isdir(target) or os.fspath(target).endswith(os.sep):
            output = Path(target) / rename(_name(source))
            is_new = not os.path.exists(target)
        check_output(
            output, written.suffixes, written.expected, [source], in_new_folder=is_new
        )
        return Pairs([(rereadable(source), Path(output))], False)
    target = Path(target)
    for source in sources:
        if not (os.path.exists(source) or glob.has_magic(os.fspath(source))):
            _listed(source, list_files)
    if target.exists() and not target.is_dir():
        raise DataError(f"{target} is a file, expected a folder for many files")
    if len(sources) > 1 and target.suffix.lower() in written.suffixes:
        raise DataError(f"{target} is to be a file, expected a folder for many files")
    pairs, skipped = [], []
    for source in sources:
        files, root = _listed(source, list_files)
        folder = target
        if os.path.isdir(source):
            skipped += _others(source, read)
            if len(sources) > 1:
                folder = target / Path(os.path.abspath(source)).name
        if root is not None and target.exists() and target.samefile(root):
            raise DataError(
                f"{target} holds the input, expected another folder to write"
            )
        names = [file.relative_to(root) if root else _name(file) for file in files]
        outputs = [folder / rename(name) for name in names]
        pairs += zip(files, outputs, strict=True)
    inputs = {_identity(file) for file, _ in pairs}
    for output in (output for _, output in pairs):
        among = [name for name in sources if is_read(output, name, read.suffixes)]
        if among or _identity(output) in inputs:
            raise DataError(
                f"{output} is or would be among the files of {(among or sources)[0]}, "
                "which are read: expected another folder to write"
            )
    # A file that is named twice is converted once.
    return Pairs(list(dict.fromkeys(pairs)), True, skipped)


def _is_file(source):
    return os.path.exists(source) and not os.path.isdir(source)


def _name(source):
    return Path(Path(str(source)).name)


def _listed(source, list_files):
    """The files of an input, and the folder in which their names are kept, or None."""
    if _is_file(source):
        return [rereadable(source)], None
    files = list_files(source)
    if os.path.isdir(source):
        return files, Path(source).expanduser()
    return files, Path(os.path.commonpath([file.parent for file in files]))


def _others(folder, kind):
    """Names of the files in a folder that are not of a kind, but for hidden ones."""
    return sorted(
        str(path)
        for path in Path(folder).rglob("*")
        if path.suffix.lower() not in kind.suffixes
        and not path.name.startswith(".")
        and path.is_file()
    )


def _identity(path):
    """What tells files apart: device and inode, or the path if there is no file yet."""
    try:
        found = os.stat(path)
    except OSError:
        return os.path.realpath(path)
    return found.st_dev, found.st_ino
