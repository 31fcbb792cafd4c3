"""TensorFlow.js by a stand-in for npm; by npm itself where there is one."""

import base64
import dataclasses
import hashlib
import io
import os
import shutil
import stat
import tarfile

import pytest

from yoto_tf.errors import DataError
from yoto_tf.export.web import runtime

# Copies what lies beside it to where `npm pack` was told to.
NPM = """#!/bin/sh
[ "$1 $2 $3" = "pack --ignore-scripts --pack-destination" ] || exit 1
cp "$(dirname "$0")"/*.tgz "$4"
"""
FAILING = """#!/bin/sh
echo "npm warn something" >&2
echo "npm error code ENOTFOUND" >&2
echo "npm error network request failed" >&2
exit 1
"""

posix = pytest.mark.skipif(os.name != "posix", reason="the stand-in is a shell script")


def archive(package):
    """What npm would bring."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name in package.files:
            entry = tarfile.TarInfo(f"package/dist/{name}")
            entry.size = len(name)
            tar.addfile(entry, io.BytesIO(name.encode()))
    return buffer.getvalue()


@pytest.fixture
def npm(tmp_path, monkeypatch):
    """Function of a script that puts it onto the PATH as npm."""

    def install(script):
        program = tmp_path / "bin" / "npm"
        program.parent.mkdir()
        program.write_text(script)
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
        return program.parent

    (tmp_path / "downloads").mkdir()
    return install


def fetch(tmp_path):
    runtime.fetch(tmp_path / "runtime", tmp_path / "downloads")
    return {path.name: path.read_bytes() for path in (tmp_path / "runtime").iterdir()}


@posix
def test_brings_the_files_and_nothing_else(npm, tmp_path, monkeypatch):
    folder, packages = npm(NPM), []
    for package in runtime.PACKAGES:
        content = archive(package)
        (folder / package.archive).write_bytes(content)
        sha512 = base64.b64encode(hashlib.sha512(content).digest()).decode()
        packages.append(dataclasses.replace(package, sha512=sha512))
    monkeypatch.setattr(runtime, "PACKAGES", tuple(packages))
    names = {name for package in packages for name in package.files}
    assert fetch(tmp_path) == {name: name.encode() for name in names}


@posix
def test_other_content_than_pinned_is_refused(npm, tmp_path):
    folder = npm(NPM)
    for package in runtime.PACKAGES:
        (folder / package.archive).write_bytes(archive(package))
    with pytest.raises(DataError, match=r"another tensorflow-tfjs-core-.*\.tgz than"):
        fetch(tmp_path)


@posix
def test_missing_package(npm, tmp_path):
    npm("#!/bin/sh\n")
    with pytest.raises(DataError, match="npm has not brought tensorflow-tfjs-core"):
        fetch(tmp_path)


@posix
def test_failing_npm_is_quoted_in_one_line(npm, tmp_path):
    npm(FAILING)
    with pytest.raises(DataError) as caught:
        fetch(tmp_path)
    [line] = str(caught.value).splitlines()
    assert line.endswith("npm error code ENOTFOUND")


def test_npm_brings_what_is_pinned(tmp_path):
    if not os.environ.get("YOTO_BROWSER"):
        pytest.skip("packages are fetched with YOTO_BROWSER=1")
    if shutil.which("npm") is None:
        pytest.skip("no npm on the PATH")
    (tmp_path / "downloads").mkdir()
    files = fetch(tmp_path)
    assert sum(map(len, files.values())) < 2.5e6
    scripts = [text for name, text in files.items() if name.endswith(".js")]
    assert len(scripts) == 4
    assert all(b"Apache License, Version 2.0" in text for text in scripts)
