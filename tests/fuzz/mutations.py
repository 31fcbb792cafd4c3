"""Bytes that are nearly what a reader expects."""

import struct

from hypothesis import strategies as st

# Where numbers wrap around, or are none.
_NUMBERS = (0, 1, 127, 128, 255, 256, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1)
_FORMS = ("<B", "<H", "<I", "<Q", ">H", ">I", ">Q")
# For formats that are text.
_WORDS = (b"", b"[", b"]", b"{", b'"', b",", b"-1", b"1e999", b"null", b"9" * 40)


def damaged(seeds):
    """A strategy of seeds with up to eight faults.

    Args:
        seeds: list of bytes.
    """
    return st.builds(
        _with_faults, st.sampled_from(seeds), st.lists(_faults(), max_size=8)
    )


def _faults():
    # Shares of the length: what is drawn does not hang on the seed, and shrinks well.
    place = st.floats(0, 1)
    number = st.tuples(st.sampled_from(_NUMBERS), st.sampled_from(_FORMS))
    few = st.one_of(st.binary(max_size=8), number.map(_packed), st.sampled_from(_WORDS))
    return st.one_of(
        st.tuples(st.just(_overwrite), place, few),
        st.tuples(st.just(_insert), place, few),
        st.tuples(st.just(_flip), place, st.integers(0, 7)),
        st.tuples(st.just(_cut), place, st.floats(0, 1)),
        st.tuples(st.just(_repeat), place, st.floats(0, 1)),
    )


def _with_faults(seed, faults):
    content = bytearray(seed)
    for fault, place, how in faults:
        fault(content, int(place * len(content)), how)
    return bytes(content)


def _packed(number):
    value, form = number
    return struct.pack(form, value % 2 ** (8 * struct.calcsize(form)))


def _overwrite(content, at, few):
    content[at : at + len(few)] = few


def _insert(content, at, few):
    content[at:at] = few


def _flip(content, at, bit):
    if at < len(content):
        content[at] ^= 1 << bit


def _cut(content, at, share):
    # Short ones are more telling than half of the file.
    del content[at : at + int(share**4 * len(content)) + 1]


def _repeat(content, at, share):
    part = content[at : at + int(share**4 * len(content)) + 1]
    content[at:at] = part * 3
