import subprocess
import sys
import textwrap

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from linear_codec import linear_context_hyperprior

from yoto_tf import entropy
from yoto_tf.entropy import range_coding
from yoto_tf.errors import FormatError
from yoto_tf.zoo.codec import Codec
from yoto_tf.zoo.codec.coding import context_symbol_coding
from yoto_tf.zoo.codec.coding.outliers import read_outliers, write_outliers
from yoto_tf.zoo.codec.coding.symbol_codings import symbol_coding_of

VECTOR = np.array([0.02], "float32")
LOWEST = np.array([0.0018], "float32")


@pytest.fixture(scope="module")
def coding(context_codec):
    """Without the network, from the tables alone."""
    return symbol_coding_of(context_codec.release)


def integers(rows, columns, seed=0, spread=3.0):
    """Hyper-latents and symbols for blocks of 64×64 pixels."""
    random = np.random.default_rng(seed)
    hyper_latents = random.normal(0, 2, (rows, columns, 16)).round()
    symbols = random.laplace(0, spread, (4 * rows, 4 * columns, 64)).round()
    return hyper_latents.astype("int32"), symbols.astype("int32")


@settings(max_examples=25)
@given(
    st.integers(1, 9),
    st.integers(1, 5),
    st.sampled_from([1, 64, 2**15]),
    st.floats(0.01, 40),
    st.sampled_from([0.0018, 0.02, 0.18]),
)
def test_round_trip(coding, rows, columns, stripe, spread, distortion):
    """Stripes of a row of blocks, of a few, and of all."""
    vector = np.array([distortion], "float32")
    hyper_latents, symbols = integers(rows, columns, rows, spread)
    before = symbols.copy()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(context_symbol_coding, "STRIPE_POSITIONS", stripe)
        sections = coding.write((hyper_latents, symbols), vector)
        np.testing.assert_array_equal(symbols, before)
        read = coding.read(sections, rows, columns, vector)
    for actual, expected in zip(read, (hyper_latents, symbols), strict=True):
        np.testing.assert_array_equal(actual, expected)
        assert actual.dtype == np.int32


def test_python_writes_and_reads_the_same(coding, monkeypatch):
    """As where the compiled range coder cannot be loaded, on Python 3.13 say."""
    hyper_latents, symbols = integers(2, 2)
    compiled = coding.write((hyper_latents, symbols), VECTOR)
    monkeypatch.setattr(range_coding, "load_tfc_ops", lambda: None)
    assert coding.write((hyper_latents, symbols), VECTOR) == compiled
    read = coding.read(compiled, 2, 2, VECTOR)
    np.testing.assert_array_equal(read[1], symbols)


@pytest.fixture(scope="module")
def quiet(photograph):
    """A coding that expects nothing of half of the channels, and integers of a picture.

    It is a slope, so that this is so.
    """
    network = linear_context_hyperprior(photograph)
    bias = network.scale_synthesis.convolutions[-1].bias
    bias.assign_sub(np.repeat([0.0, 4.0], 32))
    codec = Codec.from_network(network)
    slope = np.full((512, 512, 3), 80) + np.arange(512)[:, None] // 8
    return codec.coding, codec._encode(slope.astype("uint8"), LOWEST)


def coded_bytes(section, coding, hyper_latents, symbols):
    """How many the section has, and how many it would have without skipping."""
    level = coding.levels.index(LOWEST)
    chunks = (
        (context_symbol_coding._cells(stripe, number).ravel(), indexes.ravel())
        for stripe, number, indexes in coding._passes(hyper_latents, symbols, level)
    )
    return len(section), 1 + len(entropy.encode_chunks(chunks, coding.code_tables[1]))


def test_what_is_expected_to_be_zero_is_not_coded(quiet):
    coding, (hyper_latents, symbols) = quiet
    sections = coding.write((hyper_latents, symbols), LOWEST)
    assert sections[1][:1] == b"\1"
    skipping, everything = coded_bytes(sections[1], coding, hyper_latents, symbols)
    assert skipping < everything
    np.testing.assert_array_equal(coding.read(sections, 8, 8, LOWEST)[1], symbols)


def test_a_few_others_are_kept(quiet):
    coding, (hyper_latents, symbols) = quiet
    symbols = symbols.copy()
    symbols[3, 5, 60], symbols[31, 31, 63] = -1, 70
    sections = coding.write((hyper_latents, symbols), LOWEST)
    assert sections[1][:1] == b"\1"
    np.testing.assert_array_equal(coding.read(sections, 8, 8, LOWEST)[1], symbols)


def test_all_are_coded_where_many_are_not_zero(quiet):
    """The hyperprior expects nothing and there is something."""
    coding, (hyper_latents, symbols) = quiet
    symbols = symbols.copy()
    symbols[::2, ::3] += 1
    sections = coding.write((hyper_latents, symbols), LOWEST)
    assert sections[1][:1] == b"\0"
    skipping, everything = coded_bytes(sections[1], coding, hyper_latents, symbols)
    assert skipping == everything
    np.testing.assert_array_equal(coding.read(sections, 8, 8, LOWEST)[1], symbols)


def test_an_outlier_beyond_the_last_symbol_is_refused(quiet):
    coding, (hyper_latents, symbols) = quiet
    first, second = coding.write((hyper_latents, symbols), LOWEST)
    positions, values, data = read_outliers(second[1:])
    outliers = write_outliers(np.append(positions, symbols.size), np.append(values, 1))
    with pytest.raises(FormatError, match="beyond the last"):
        coding.read((first, second[:1] + outliers + data), 8, 8, LOWEST)


@settings(max_examples=300)
@given(st.data())
def test_damaged_sections_are_refused_or_somebodys_symbols(coding, data):
    """What a file's checksum has not caught never is another shape or error."""
    hyper_latents, symbols = integers(2, 1, spread=1.0)
    sections = list(coding.write((hyper_latents, symbols), VECTOR))
    which = data.draw(st.integers(0, 1))
    section = bytearray(sections[which])
    kind = data.draw(st.sampled_from(["cut", "flip", "append", "replace"]))
    if kind == "cut":
        del section[data.draw(st.integers(0, len(section) - 1)) :]
    elif kind == "flip":
        section[data.draw(st.integers(0, len(section) - 1))] ^= 1 << data.draw(
            st.integers(0, 7)
        )
    elif kind == "append":
        section += data.draw(st.binary(min_size=1, max_size=9))
    else:
        section = data.draw(st.binary(max_size=60))
    sections[which] = bytes(section)
    try:
        read = coding.read(sections, 2, 1, VECTOR)
    except FormatError:
        pass
    else:
        assert read[0].shape == hyper_latents.shape
        assert read[1].shape == symbols.shape


@pytest.mark.parametrize("section", [b"", b"\2", b"\xff"])
def test_a_section_begins_with_a_mode(coding, section):
    hyper_latents, symbols = integers(1, 1)
    first, _ = coding.write((hyper_latents, symbols), VECTOR)
    with pytest.raises(FormatError, match="mode"):
        coding.read((first, section), 1, 1, VECTOR)


def test_coding_needs_neither_keras_nor_a_network(context_codec, tmp_path):
    hyper_latents, symbols = integers(2, 3)
    sections = context_codec.coding.write((hyper_latents, symbols), VECTOR)
    np.savez(tmp_path / "tables.npz", **context_codec.release.tables)
    np.savez(tmp_path / "symbols.npz", hyper_latents=hyper_latents, symbols=symbols)
    for number, section in enumerate(sections):
        (tmp_path / f"{number}").write_bytes(section)
    script = """
        import sys
        from pathlib import Path

        import numpy as np


        class Refused:
            def find_spec(self, name, path=None, target=None):
                if name.partition(".")[0] in ("keras", "tensorflow", "jax"):
                    raise ImportError(f"{name} is not here")


        sys.meta_path.insert(0, Refused())
        from yoto_tf.zoo.codec.coding.context_symbol_coding import ContextSymbolCoding

        folder = Path(sys.argv[1])
        coding = ContextSymbolCoding(dict(np.load(folder / "tables.npz")))
        vector = np.array([0.02], "float32")
        sections = [(folder / name).read_bytes() for name in "01"]
        expected = np.load(folder / "symbols.npz")
        read = coding.read(sections, 2, 3, vector)
        np.testing.assert_array_equal(read[0], expected["hyper_latents"])
        np.testing.assert_array_equal(read[1], expected["symbols"])
        assert list(coding.write(read, vector)) == sections
    """
    command = [sys.executable, "-c", textwrap.dedent(script), tmp_path]
    subprocess.run(command, check=True)
