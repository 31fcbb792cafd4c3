import errno

import pytest

from yoto_tf.errors import DataError
from yoto_tf.machine.remote import file_system, is_url, refused


def test_urls_and_paths():
    assert is_url("gs://bucket/run")
    assert not is_url("folder/of:mine")


def test_a_file_system_and_its_name_of_a_place():
    files, path = file_system("memory://some/place")
    assert path == "/some/place"
    assert files.protocol == "memory"
    with pytest.raises(ValueError, match="nonsense"):
        file_system("nonsense://a")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device"),
        (ValueError("two\n lines"), "two lines"),
        (TimeoutError(), "TimeoutError"),
        (ImportError("no s3fs"), r"no s3fs \(pip install 'yoto_tf\[remote\]'\)"),
    ],
)
def test_whatever_is_raised_becomes_one_line(error, reason):
    with pytest.raises(DataError, match=f"^cannot read s3://a/b: {reason}$"):
        raise refused("read", "s3://a/b", error)
