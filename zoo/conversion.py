"""Files to files, one or many at a time.

A folder or a glob stands for many files: they are written into a folder under the same
relative names, and a file that fails does not stop the others.
"""

import dataclasses
import os
from pathlib import Path

from tqdm import tqdm

from yoto_tf.atomic import check_writable
from yoto_tf.errors import DataError, FormatError


@dataclasses.dataclass(frozen=True)
class Report:
    """What became of the files.

    Attributes:
        files: a dict for each file that was written, with its "input" and "output".
        failed: {"input", "error"} of each file that failed; only where there were many.
    """

    files: list[dict]
    failed: list[dict]


def pair_files(source, target, list_files, suffix=None):
    """Which file is to be written for which.

    Args:
        source: a file, a folder or a glob.
        target: the file to write; for many files a folder, made if need be.
        list_files: function of a folder or glob to its files.
        suffix: what many outputs end in; None for the suffixes of the inputs.

    Returns:
        A list of (input, output), and whether there may be many.

    Raises:
        DataError: an output that cannot be written or would replace the input.
    """
    source, target = Path(source), Path(target)
    if source.exists() and not source.is_dir():
        if target.exists() and target.samefile(source):
            raise DataError(f"{target} is the input, expected another file to write")
        check_writable(target)
        return [(source, target)], False
    files = list_files(source)
    root = source
    if not source.is_dir():
        root = Path(os.path.commonpath([file.parent for file in files]))
    if target.exists() and not target.is_dir():
        raise DataError(f"{target} is a file, expected a folder for many files")
    if target.exists() and target.samefile(root):
        raise DataError(f"{target} holds the input, expected another folder to write")
    outputs = [target / file.relative_to(root) for file in files]
    if suffix is not None:
        outputs = [output.with_suffix(suffix) for output in outputs]
    return list(zip(files, outputs, strict=True)), True


def convert_files(pairs, many, convert):
    """Converts the files that `pair_files` paired, with a progress bar.

    Args:
        pairs: list of (input, output).
        many: whether a failure is reported instead of raised.
        convert: function of (input, output) that writes the output and returns a dict
            for the report; raises DataError or FormatError.

    Returns:
        A `Report`.
    """
    if not many:
        return Report([convert(*pairs[0])], [])
    report = Report([], [])
    written = {}
    for path, output in tqdm(pairs, unit="file", delay=1, disable=None):
        try:
            if output in written:
                raise DataError(f"{path}: {output} is made of {written[output]}")
            report.files.append(convert(path, output))
            written[output] = path
        except (DataError, FormatError, OSError) as error:
            report.failed.append({"input": str(path), "error": str(error)})
    return report
