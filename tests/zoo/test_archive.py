"""Archives that nobody would make but to do harm; see also test_handles.py."""

import gzip
import io
import tarfile

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from yoto_tf.errors import RecipeError
from yoto_tf.zoo.archive import receive, unpack
from yoto_tf.zoo.limits import Limits

MEBIBYTE = 2**20


def header(name="big", size=0, kind=tarfile.REGTYPE, number=None):
    """A header block; `number` is its size in base 256, which may be anything."""
    member = tarfile.TarInfo(name)
    member.size, member.type = size, kind
    block = bytearray(member.tobuf(tarfile.GNU_FORMAT))
    if number is not None:
        sign = b"\xff" if number < 0 else b"\x80"
        block[124:136] = sign + (number % 256**11).to_bytes(11, "big")
        block[148:156] = b" " * 8
        block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def pax(records, kind=tarfile.XHDTYPE):
    """An extended header with these raw bytes."""
    padded = records + bytes(-len(records) % 512)
    return header("pax", len(records), kind) + padded


def record(text):
    """One of the short lines that an extended header consists of."""
    length = len(text) + 3 if len(text) < 7 else len(text) + 4
    return f"{length} {text}\n".encode()


END = bytes(1024)
GRAPH = header("saved_model.pb", 5) + b"graph".ljust(512, b"\0")


def refused(blocks, folder, limits=None):
    with pytest.raises(RecipeError) as caught:
        unpack(io.BytesIO(gzip.compress(blocks)), folder, "archive", limits)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_plain_archive(tmp_path):
    unpack(io.BytesIO(gzip.compress(GRAPH + END)), tmp_path, "archive")
    assert [path.name for path in tmp_path.iterdir()] == ["saved_model.pb"]


@pytest.mark.parametrize("number", [-512, -1, -(2**62)])
def test_negative_size(number, tmp_path):
    """tarfile goes back to it for ever: CVE-2025-8194."""
    message = refused(GRAPH + header(number=number) + END, tmp_path)
    assert "'big' has a negative size" in message


@pytest.mark.parametrize("number", [2**40, 2**80])
def test_huge_declared_size(number, tmp_path):
    assert "ends after the archive" in refused(header(number=number) + END, tmp_path)


@pytest.mark.parametrize(
    "records",
    [
        record("GNU.sparse.major=1") + record("GNU.sparse.minor=0"),
        record("GNU.sparse.size=214748364800"),
        record("mtime=1.5") + record("size=-512"),
        record("size=214748364800"),
    ],
)
@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE])
def test_sizes_in_extended_headers(records, kind, tmp_path):
    message = refused(pax(records, kind) + GRAPH + END, tmp_path)
    assert "a sparse or resized file" in message


def test_old_sparse_member(tmp_path):
    member = header("sparse", kind=tarfile.GNUTYPE_SPARSE)
    assert "neither a file nor a folder" in refused(member + END, tmp_path)


def test_chain_of_extended_headers(tmp_path):
    chain = pax(record("mtime=1.5")) * 5000
    assert "too large a header" in refused(chain + GRAPH + END, tmp_path)


def test_huge_extended_header(tmp_path):
    long = header("name", MEBIBYTE, tarfile.GNUTYPE_LONGNAME) + bytes(MEBIBYTE)
    assert "too large a header" in refused(long + GRAPH + END, tmp_path)


def test_content_far_larger_than_its_archive(tmp_path):
    zeros = header("big", 100 * MEBIBYTE) + bytes(100 * MEBIBYTE) + END
    message = refused(zeros, tmp_path)
    assert message.startswith("archive unpacks to more than 100 times its size")
    assert "YOTO_LIMITS=ratio=" in message
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(RecipeError, match="no SavedModel"):
        unpack(
            io.BytesIO(gzip.compress(zeros)), tmp_path, "archive", Limits(ratio=10_000)
        )


def test_too_many_members(tmp_path):
    limits = Limits(members=20)
    blocks = b"".join(header(str(number)) for number in range(21))
    assert "more than 20 members" in refused(blocks + END, tmp_path, limits)


def test_one_name_for_a_file_and_a_folder(tmp_path):
    blocks = header("a", kind=tarfile.DIRTYPE) + header("a") + header("a/b") + END
    assert "not a complete .tar.gz archive" in refused(blocks, tmp_path)


class Endless:
    """A server that never ends its answer."""

    def read(self, size):
        return bytes(size)


def test_endless_answer():
    limits = Limits(archive_bytes=3 * MEBIBYTE)
    received = io.BytesIO()
    with pytest.raises(RecipeError, match="has more than 3,145,728 bytes"):
        receive(Endless(), None, received, "archive", limits)
    assert len(received.getvalue()) <= 3 * MEBIBYTE


def test_answer_that_announces_too_much():
    with pytest.raises(RecipeError, match="has more than"):
        receive(io.BytesIO(), 2**50, io.BytesIO(), "archive")


def test_answer_that_takes_too_long(monkeypatch):
    clock = iter(range(0, 10_000, 100))
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    with pytest.raises(RecipeError, match="takes more than 1,000 seconds"):
        receive(Endless(), None, io.BytesIO(), "archive", Limits(seconds=1000))


def test_limits_of_the_environment(monkeypatch):
    monkeypatch.setenv("YOTO_LIMITS", "archive_bytes=8e9, seconds=7200")
    limits = Limits.from_environment()
    assert limits == Limits(archive_bytes=8 * 10**9, seconds=7200)


@pytest.mark.parametrize(
    "text", ["bytes=1", "seconds", "seconds=0", "ratio=many", "ratio=inf"]
)
def test_limits_that_are_none(text, monkeypatch):
    monkeypatch.setenv("YOTO_LIMITS", text)
    with pytest.raises(RecipeError, match="expected NAME=NUMBER"):
        Limits.from_environment()


@st.composite
def archives(draw):
    """Headers of every kind with sizes of every kind, and bytes between them."""
    blocks = b""
    for _ in range(draw(st.integers(1, 6))):
        kind = draw(st.sampled_from([b"0", b"\0", b"5", b"x", b"g", b"L", b"S", b"1"]))
        number = draw(st.none() | st.integers(-(2**40), 2**40))
        content = draw(st.binary(max_size=600))
        blocks += header("a", len(content), kind, number)
        blocks += content + bytes(-len(content) % 512)
    return blocks + draw(st.sampled_from([END, b"", bytes(512), b"x" * 512]))


@settings(max_examples=100)
@given(archives() | st.binary(max_size=2000))
@example(GRAPH + END)
def test_anything_is_unpacked_or_refused(tmp_path_factory, blocks):
    folder = tmp_path_factory.mktemp("unpacked")
    try:
        unpack(io.BytesIO(gzip.compress(blocks)), folder, "archive")
    except RecipeError:
        return
    assert (folder / "saved_model.pb").is_file()
