"""The codec's coder in JavaScript against the one in Python, in a headless Chromium."""

import base64
import hashlib
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from static_host import hosted

from yoto_tf.entropy.coding_tables import CodingTables
from yoto_tf.entropy.range_coding import decode, encode
from yoto_tf.errors import FormatError
from yoto_tf.export.web.page import write_site
from yoto_tf.zoo.array_file import pack
from yoto_tf.zoo.codec.coding import context_symbol_coding
from yoto_tf.zoo.codec.coding.container import Container
from yoto_tf.zoo.codec.coding.outliers import read_outliers, write_outliers
from yoto_tf.zoo.codec.coding.sections import Section, join_sections
from yoto_tf.zoo.codec.coding.symbol_codings import symbol_coding_of
from yoto_tf.zoo.codec.tiling.spans import spans
from yoto_tf.zoo.codec.tiling.tiles import tile_size

pytest.importorskip("selenium", reason="selenium is not installed")

if not os.environ.get("YOTO_BROWSER"):
    pytest.skip("a browser is started with YOTO_BROWSER=1", allow_module_level=True)

import headless_chromium

# Arrays of bytes cross as base64; an error is what was thrown.
CALL = """
const [code, given, done] = arguments;
const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const letters = (array) => Array.from(array, (byte) => String.fromCharCode(byte));
const text = (array) => btoa(letters(array).join(""));
const load = (name) => import(new URL(`./${name}.js`, location.href).href);
const body = new (async () => {}).constructor("given", "bytes", "text", "load", code);
body(given, bytes, text, load).then(
    (answer) => done({ answer }), (error) => done({ error: error.message }));
"""
ENCODE = """
const { CodingTables, RangeEncoder } = await load("coder/range_coder");
const encoder = new RangeEncoder(new CodingTables(given.tables));
given.symbols.forEach((symbol, i) => encoder.encode(symbol, given.indexes[i]));
return text(encoder.finish());
"""
DECODE = """
const { CodingTables, RangeDecoder } = await load("coder/range_coder");
const decoder = new RangeDecoder(bytes(given.data), new CodingTables(given.tables));
const symbols = given.indexes.map((index) => decoder.decode(index));
decoder.finish();
return symbols;
"""
# A file of a release's tables is fetched once.
CODING = """
const { readArrays } = await load("coder/array_file");
const { SymbolCoding } = await load("coder/symbol_coding");
globalThis.codings ??= {};
globalThis.codings[given.tables] ??= new SymbolCoding(
    readArrays(await (await fetch(given.tables)).arrayBuffer()));
const coding = globalThis.codings[given.tables];
const { rows, columns, coefficient } = given;
"""
WRITE = """
const [hyper, symbols] = [given.hyper, given.symbols].map((x) => Int32Array.from(x));
return coding.write(hyper, symbols, rows, columns, coefficient).map(text);
"""
READ = """
const { hyperLatents, symbols } = coding.read(
    given.sections.map(bytes), rows, columns, coefficient);
return [[...hyperLatents], [...symbols]];
"""


class JavaScript:
    """The page's modules, called from here.

    Args:
        browser: a `selenium.webdriver.Chrome` on a page of theirs.
        folder: of the page.
    """

    def __init__(self, browser, folder):
        self._browser = browser
        self.folder = folder

    def __call__(self, code, **given):
        """What a function of this body returns.

        Raises:
            FormatError: what it throws.
        """
        result = self._browser.execute_async_script(CALL, code, given)
        if "error" in result:
            raise FormatError(result["error"])
        return result["answer"]


@pytest.fixture(scope="module")
def javascript(tmp_path_factory):
    if headless_chromium.missing():
        pytest.skip(f"not on the PATH: {', '.join(headless_chromium.missing())}")
    folder = tmp_path_factory.mktemp("coder") / "site"
    write_site("codec", {}, folder)
    # Whose policy lets a test have its code run.
    (folder / "index.html").write_text("<!doctype html><title>Coder</title>")
    with hosted(folder) as url, headless_chromium.chromium() as browser:
        browser.get(url)
        yield JavaScript(browser, folder)


def text(data):
    return base64.b64encode(data).decode()


def listed(tables):
    """Coding tables as JSON has them."""
    arrays = {
        name: array.tolist()
        for name, array in tables.to_arrays().items()
        if name != "precision"
    }
    return {**arrays, "precision": [tables.precision]}


@given(st.binary(max_size=600), st.integers(1, 64))
def test_checksum(javascript, data, size):
    found = javascript(
        'const { blake2b } = await load("coder/blake2b");'
        "return text(blake2b(bytes(given.data), given.size));",
        data=text(data),
        size=size,
    )
    assert base64.b64decode(found) == hashlib.blake2b(data, digest_size=size).digest()


@st.composite
def coded(draw):
    """Tables, symbols and the table of each: some beyond, some at the ends."""
    precision = draw(st.integers(2, 16))
    pmfs = []
    for _ in range(draw(st.integers(1, 4))):
        length = draw(st.integers(1, min(40, 2**precision - 2)))
        weights = draw(
            st.lists(st.floats(0, 1), min_size=length, max_size=length).filter(any)
        )
        pmfs.append(np.array(weights) / (sum(weights) * draw(st.floats(1, 1.5))))
    offsets = draw(
        st.lists(st.integers(-30, 10), min_size=len(pmfs), max_size=len(pmfs))
    )
    tables = CodingTables.from_pmfs(pmfs, offsets, precision)
    near, far = st.integers(-40, 60), st.integers(-(2**29), 2**29)
    symbols = draw(st.lists(st.one_of(near, near, near, far), max_size=80))
    indexes = [draw(st.integers(0, len(pmfs) - 1)) for _ in symbols]
    return tables, symbols, indexes


@given(coded())
def test_range_coder_writes_and_reads_the_same_bytes(javascript, case):
    tables, symbols, indexes = case
    data = encode(np.array(symbols, "int64"), np.array(indexes, "int32"), tables)
    given = {"tables": listed(tables), "indexes": indexes}
    written = javascript(ENCODE, symbols=symbols, **given)
    assert base64.b64decode(written) == data
    assert javascript(DECODE, data=text(data), **given) == symbols


def test_carry_runs_through_words_that_overflow(javascript):
    """Of one symbol that is nearly certain there is a string of words of ones."""
    tables = CodingTables.from_pmfs([np.array([1e-4, 1 - 2e-4])], [0], 16)
    random = np.random.default_rng(0)
    for _ in range(30):
        symbols = (random.random(4000) > 1e-4).astype("int64")
        indexes = np.zeros(len(symbols), "int32")
        data = encode(symbols, indexes, tables)
        written = javascript(
            ENCODE,
            symbols=symbols.tolist(),
            indexes=indexes.tolist(),
            tables=listed(tables),
        )
        assert base64.b64decode(written) == data


@given(coded(), st.data())
def test_damaged_bytes_are_refused_by_both_or_mean_the_same(javascript, case, data):
    tables, symbols, indexes = case
    written = bytearray(
        encode(np.array(symbols, "int64"), np.array(indexes, "int32"), tables)
    )
    if written:
        place = data.draw(st.integers(0, len(written) - 1))
        written[place] ^= data.draw(st.integers(1, 255))
    if data.draw(st.booleans()):
        written += data.draw(st.binary(min_size=1, max_size=3))
    given = {"tables": listed(tables), "indexes": indexes}
    try:
        expected = decode(bytes(written), np.array(indexes, "int32"), tables).tolist()
    except FormatError:
        with pytest.raises(FormatError):
            javascript(DECODE, data=text(written), **given)
    else:
        assert javascript(DECODE, data=text(written), **given) == expected


@pytest.fixture(scope="module", params=["untrained_codec", "context_codec"])
def coding(request, javascript):
    """The coder of a codec from its tables alone, and the address of these."""
    release = request.getfixturevalue(request.param).release
    (javascript.folder / request.param).write_bytes(pack(release.tables))
    return symbol_coding_of(release), request.param


@settings(max_examples=25)
@given(
    st.integers(1, 4),
    st.integers(1, 3),
    st.integers(0, 2**31),
    st.sampled_from([0.01, 0.3, 3, 200]),
    st.sampled_from([2, 3000]),
    st.sampled_from([0.0018, 0.0123, 0.04, 0.18]),
)
def test_same_symbols_are_the_same_bytes(
    javascript, coding, rows, columns, seed, spread, hyper_spread, distortion
):
    """Also where hyper-latents are clipped, and in both modes of the context."""
    coding, address = coding
    random = np.random.default_rng(seed)
    vector = np.array([distortion], "float32")
    channels = coding.channels
    hyper = random.normal(0, hyper_spread, (rows, columns, channels[0])).round()
    symbols = random.laplace(0, spread, (4 * rows, 4 * columns, channels[1])).round()
    integers = hyper.astype("int32"), symbols.astype("int32")
    sections = coding.write(integers, vector)
    given = {
        "tables": address,
        "rows": rows,
        "columns": columns,
        "coefficient": distortion,
    }
    hyper, symbols = (array.ravel().tolist() for array in integers)
    written = javascript(CODING + WRITE, hyper=hyper, symbols=symbols, **given)
    assert [base64.b64decode(section) for section in written] == list(sections)
    read = javascript(CODING + READ, sections=list(map(text, sections)), **given)
    assert read == [hyper, symbols]


@pytest.mark.parametrize(("spread", "mode"), [(0.1, 0), (5, 1)])
def test_stripes_of_a_context(spread, mode, javascript, context_codec, monkeypatch):
    """A picture of more than one stripe, which here is a row of blocks.

    In both modes: all symbols are coded, or those are skipped that may be zero.
    """
    coding = symbol_coding_of(context_codec.release)
    monkeypatch.setattr(context_symbol_coding, "STRIPE_POSITIONS", 16)
    random = np.random.default_rng(0)
    rows, columns, vector = 3, 2, np.array([0.02], "float32")
    hyper = random.normal(0, 2, (rows, columns, 16)).round().astype("int32")
    symbols = random.laplace(0, spread, (12, 8, 64)).round().astype("int32")
    _, section = coding.write((hyper, symbols), vector)
    assert section[0] == mode
    (javascript.folder / "striped").write_bytes(pack(context_codec.release.tables))
    found = javascript(
        """
        const { readArrays } = await load("coder/array_file");
        const { ContextCoder } = await load("coder/context_coder");
        const { CodingTables } = await load("coder/range_coder");
        const { context, latents } =
            readArrays(await (await fetch("striped")).arrayBuffer());
        const coder = new ContextCoder(context, new CodingTables(latents), 16);
        const place = [Int32Array.from(given.hyper), 3, 2, given.level];
        const [hyper, ...rest] = place;
        const written = coder.write(hyper, Int32Array.from(given.symbols), ...rest);
        return [text(written), [...coder.read(written, ...place)]];
        """,
        hyper=hyper.ravel().tolist(),
        symbols=symbols.ravel().tolist(),
        level=coding.levels.index(vector),
    )
    assert base64.b64decode(found[0]) == section
    assert found[1] == symbols.ravel().tolist()


@given(
    st.lists(
        st.tuples(st.integers(0, 3000), st.integers(-(2**29), 2**29).filter(bool)),
        unique_by=lambda pair: pair[0],
        max_size=40,
    ).map(sorted),
    st.binary(max_size=4),
)
def test_outliers(javascript, pairs, rest):
    positions, values = np.array(pairs, "int64").reshape(-1, 2).T
    data = write_outliers(positions, values)
    assert read_outliers(data)[2] == b""
    written, read = javascript(
        """
        const { readOutliers, writeOutliers } = await load("coder/outliers");
        const written = Uint8Array.from(writeOutliers(given.positions, given.values));
        const read = readOutliers(Uint8Array.of(...written, ...bytes(given.rest)));
        return [text(written), { ...read, rest: text(read.rest) }];
        """,
        positions=positions.tolist(),
        values=values.tolist(),
        rest=text(rest),
    )
    assert base64.b64decode(written) == data
    assert read == {
        "positions": positions.tolist(),
        "values": values.tolist(),
        "rest": text(rest),
    }


READ_CONTAINER = """
const { readContainer } = await load("coder/container");
const { sections, ...others } = readContainer(bytes(given.data));
return { ...others, sections: sections.map(text) };
"""


@given(
    st.binary(min_size=8, max_size=8),
    st.integers(1, 65535),
    st.integers(1, 2048),
    st.lists(st.binary(max_size=40), min_size=2, max_size=2),
    st.floats(2**-9, 2**-3, width=32),
)
def test_container(javascript, model_id, height, width, sections, distortion):
    container = Container(model_id, (distortion,), height, width, tuple(sections))
    data = container.to_bytes()
    written = javascript(
        """
        const { writeContainer } = await load("coder/container");
        const sections = given.sections.map(bytes);
        return text(writeContainer({ ...given, sections }));
        """,
        modelId=model_id.hex(),
        coefficients=[distortion],
        height=height,
        width=width,
        sections=list(map(text, sections)),
    )
    assert base64.b64decode(written) == data
    assert javascript(READ_CONTAINER, data=text(data)) == {
        "modelId": model_id.hex(),
        "coefficients": [distortion],
        "height": height,
        "width": width,
        "sections": list(map(text, sections)),
        "residual": False,
        "lossless": False,
        "alpha": False,
    }


def second_version(**sections):
    """A file of version 2 by its sections."""
    container = Container(
        bytes(8), (0.5,), 3, 4, (b"ab", b"c"), metadata={Section.EXIF: b"x"}
    )
    typed = {Section[name]: content for name, content in sections.items()}
    data = container.to_bytes()
    head, payload = data[: 14 + 4 + 8], join_sections(typed)
    digest = hashlib.blake2b(head + payload, digest_size=8).digest()
    return head + digest + payload


def test_sections_that_may_be_skipped(javascript):
    data = second_version(
        HYPER_LATENTS=b"ab", LATENTS=b"\1c", RESIDUAL=b"r", ICC=b"icc", ALPHA=b"a"
    )
    read = javascript(READ_CONTAINER, data=text(data))
    assert [base64.b64decode(section) for section in read["sections"]] == [b"ab", b"c"]
    assert (read["residual"], read["lossless"], read["alpha"]) == (True, False, True)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a .yoto file"),
        (b"GIF89a", "not a .yoto file"),
        (b"YOTO\1", "cut off"),
        (b"YOTO\7" + bytes(60), "version 1 and 2, not 7"),
        (second_version(HYPER_LATENTS=b"ab"), "holds no picture"),
        (second_version(HYPER_LATENTS=b"ab", LATENTS=b"\3"), "a pass of latents"),
        (
            second_version(HYPER_LATENTS=b"", LATENTS=b"\1", LOSSLESS=b"x"),
            "two pictures",
        ),
        (second_version(LATENTS=b"\1", HYPER_LATENTS=b"")[:-1], "checksum is wrong"),
    ],
)
def test_other_files_are_one_sentence(javascript, data, message):
    with pytest.raises(FormatError) as caught:
        javascript(READ_CONTAINER, data=text(data))
    assert message in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@given(
    st.integers(1, 90),
    st.integers(1, 90),
    st.integers(1, 3000),
    st.tuples(st.integers(1, 3), st.integers(1, 3)),
)
def test_tiles(javascript, height, width, area, reach):
    size, found = javascript(
        """
        const { spans, tileSize } = await load("tiles");
        const size = tileSize(given.height, given.width, given.area, given.reach);
        return [size, spans(given.height, size[0], given.reach)
            .map(({ begin, end, first, last }) => [begin, end, first, last])];
        """,
        height=height,
        width=width,
        area=area,
        reach=reach,
    )
    expected = tile_size(height, width, area, reach)
    assert tuple(size) == expected
    assert list(map(tuple, found)) == spans(height, expected[0], reach)
