"""The codec's page in a headless Chromium without a graphics processor.

    YOTO_BROWSER=1 pytest tests/export -k codec_browser --basetemp=/tmp/shots

leaves screenshots under the given folder, of a network that nobody trained.
"""

import base64
import io
import os
import shutil
import urllib.parse

import numpy as np
import pytest
from PIL import Image
from static_host import hosted

from yoto_tf.data import colosseum, write_image
from yoto_tf.export import export
from yoto_tf.export.web import codec_page
from yoto_tf.imaging.metrics import psnr
from yoto_tf.zoo.codec.coding.container import Container
from yoto_tf.zoo.codec.second_layer.choice import exact

pytest.importorskip("selenium", reason="selenium is not installed")

# Beside other tests on two cores a page may take longer than anybody waits.
if not os.environ.get("YOTO_BROWSER"):
    pytest.skip("a browser is started with YOTO_BROWSER=1", allow_module_level=True)

from selenium.webdriver.common.by import By
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

# Levels of 255 that a pixel of the page may be off Keras's.
TOLERANCE = 1
# The page's own thread is asked, so that what it gives can be looked at.
ASK = """
const [asked, done] = arguments;
const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const text = (array) => {
  let letters = "";
  for (const byte of array) letters += String.fromCharCode(byte);
  return btoa(letters);
};
(async () => {
  const { ask } = await import("./thread.js");
  let request = { decompress: bytes(asked.file ?? "") };
  if (asked.pixels) {
    const pixels = new Uint8ClampedArray(bytes(asked.pixels));
    request = { compress: { ...asked, pixels } };
  }
  const { image, file, ...others } = await ask(request);
  return { ...others, image: text(image.data), file: file && text(file) };
})().then(done, (error) => done({ error: error.message }));
"""


@pytest.fixture(scope="module")
def address_of(request, tmp_path_factory):
    """Function of a fixture's name to the address of that codec's page.

    With `values` the largest map of its tiles has so many numbers.
    """
    if shutil.which("npm") is None:
        pytest.skip("no npm on the PATH")
    addresses = {}

    def get(name, values=None):
        if (name, values) not in addresses:
            folder = tmp_path_factory.mktemp("web") / "site"
            with pytest.MonkeyPatch.context() as patch:
                # Every test waits until the first picture is there.
                small = np.ascontiguousarray(colosseum()[::4, ::4])
                patch.setattr("yoto_tf.data.colosseum", lambda: small)
                if values:
                    patch.setattr(codec_page, "VALUES", values)
                export(request.getfixturevalue(name), folder, "web")
            host = hosted(folder)
            addresses[name, values] = host.__enter__()
            request.addfinalizer(lambda: host.__exit__(None, None, None))
        return addresses[name, values]

    return get


def opened(chromium, address):
    """The page, just loaded, with its first picture."""
    chromium.get("about:blank")
    chromium.get(address)
    wait(chromium, lambda: "written in" in find(chromium, "status").text)
    return chromium


@pytest.fixture
def page(chromium, address_of):
    return opened(chromium, address_of("untrained_codec"))


def wait(page, condition, message=""):
    """What the condition returns once that is true."""
    return WebDriverWait(page, 120, 0.05).until(lambda _: condition(), message)


def find(page, name):
    return page.find_element(By.ID, name)


def asked(page, **request):
    """What the page's codec answers; its picture as uint8 [H, W, 3]."""
    answer = page.execute_async_script(ASK, request)
    assert "error" not in answer, answer
    if answer["file"]:
        answer["file"] = base64.b64decode(answer["file"])
    answer["image"] = np.frombuffer(base64.b64decode(answer["image"]), "uint8")
    return answer


def compressed(page, picture, distortion):
    """The file that the page makes of a picture, and its picture of that."""
    height, width = picture.shape[:2]
    opaque = np.full((height, width, 1), 255, "uint8")
    pixels = np.concatenate([picture, opaque], axis=-1)
    answer = asked(
        page,
        pixels=base64.b64encode(pixels.tobytes()).decode(),
        height=height,
        width=width,
        coefficient=distortion,
    )
    return answer["file"], answer["image"].reshape(height, width, 4)[..., :3]


def decompressed(page, data):
    container = Container.from_bytes(data)
    answer = asked(page, file=base64.b64encode(data).decode())
    return answer["image"].reshape(container.height, container.width, 4)[..., :3]


def shown(page, name="result"):
    """A picture on the page, uint8 [H, W, 3]."""
    address = page.execute_script(
        "return document.getElementById(arguments[0]).toDataURL()", name
    )
    content = base64.b64decode(address.partition(",")[2])
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def off(first, second):
    """The largest difference, in levels."""
    return np.abs(first.astype(int) - second).max()


def upload(page, path):
    find(page, "file").send_keys(str(path))


def status(page, text):
    wait(page, lambda: text in find(page, "status").text, f"no status {text!r}")
    return find(page, "status")


def cells(page):
    """{format: texts of its row} of the table."""
    rows = page.execute_script(
        "return [...document.querySelectorAll('#files tbody tr')].map(row =>"
        "[...row.querySelectorAll('th, td')].map(cell => cell.textContent.trim()))"
    )
    return {name: texts for name, *texts in rows}


@pytest.mark.parametrize(
    ("name", "backend"),
    [
        ("untrained_codec", "wasm"),
        ("context_codec", "wasm"),
        ("untrained_codec", "webgl"),
    ],
)
def test_each_side_reads_the_others_files(
    name, backend, chromium, address_of, request, photograph
):
    codec = request.getfixturevalue(name)
    page = opened(chromium, f"{address_of(name)}?backend={backend}")
    picture = photograph[100:250, 150:321]
    # An imitation on the processor takes its time.
    for distortion in (0.0018, 0.03, 0.18) if backend == "wasm" else (0.03,):
        data, image = compressed(page, picture, distortion)
        assert off(codec.decompress(data), image) <= TOLERANCE
        theirs = codec.compress(picture, distortion=distortion)
        assert off(decompressed(page, theirs), codec.decompress(theirs)) <= TOLERANCE
        # Its analysis rounds differently where a latent lies between two integers.
        assert abs(len(data) - len(theirs)) <= 0.01 * len(theirs) + 2
        symbols, expected = (
            codec.coding.read(
                Container.from_bytes(file).sections, 3, 3, np.float32([distortion])
            )[1]
            for file in (data, theirs)
        )
        assert np.mean(symbols != expected) < 0.01
        assert np.any(symbols)


@pytest.mark.parametrize(
    ("height", "width"), [(1, 1), (1, 131), (67, 1), (63, 65), (64, 128)]
)
def test_sizes(height, width, page, photograph, untrained_codec):
    picture = photograph[100 : 100 + height, 150 : 150 + width]
    data, image = compressed(page, picture, 0.05)
    assert image.shape == picture.shape
    assert off(untrained_codec.decompress(data), image) <= TOLERANCE


@pytest.mark.parametrize("name", ["untrained_codec", "context_codec"])
def test_tiles_are_the_picture_at_once(name, chromium, address_of, request, photograph):
    codec = request.getfixturevalue(name)
    picture = photograph[:200, :300]
    page = opened(chromium, address_of(name, 2**14))
    data, image = compressed(page, picture, 0.05)
    assert off(codec.decompress(data), image) <= TOLERANCE
    expected = len(codec.compress(picture, distortion=0.05))
    assert abs(len(data) - expected) <= 0.01 * expected


def test_page_shows_a_picture_and_what_it_takes(page, photograph, tmp_path):
    page.save_screenshot(tmp_path / "page.png")
    picture = photograph[100:300, 150:400]
    write_image(tmp_path / "mine.png", picture)
    upload(page, tmp_path / "mine.png")
    status(page, "250 × 200 pixels")
    rows = cells(page)
    assert list(rows) == [".yoto", "Original", "JPEG", "WebP"]
    size = int(rows[".yoto"][0].replace(",", ""))
    assert rows[".yoto"][1] == f"{8 * size / picture[..., 0].size:.3f}"
    assert float(rows[".yoto"][2].split()[0]) == pytest.approx(
        psnr(picture, shown(page)), abs=0.006
    )
    assert rows["Original"] == ["", "", ""]
    assert off(shown(page, "other"), picture) == 0
    [jpeg] = page.find_elements(By.CSS_SELECTOR, "input[value=JPEG]")
    jpeg.click()
    assert find(page, "right").text == "JPEG"
    assert float(rows["JPEG"][2].split()[0]) == pytest.approx(
        psnr(picture, shown(page, "other")), abs=0.006
    )
    # The choice stays, and more quality takes more bytes.
    page.execute_script(
        "arguments[0].value = 100;"
        "for (const name of ['input', 'change'])"
        "  arguments[0].dispatchEvent(new Event(name, { bubbles: true }));",
        find(page, "quality"),
    )
    wait(page, lambda: cells(page)[".yoto"] != rows[".yoto"])
    assert int(cells(page)[".yoto"][0].replace(",", "")) > size
    assert find(page, "right").text == "JPEG"


def test_others_take_no_more_bytes_where_they_can(page, photograph, tmp_path):
    write_image(tmp_path / "mine.png", photograph)
    upload(page, tmp_path / "mine.png")
    status(page, "512 × 600 pixels")
    sizes = {name: texts[0].replace(",", "") for name, texts in cells(page).items()}
    assert 0 < int(sizes["JPEG"]) <= int(sizes[".yoto"])
    assert 0 < int(sizes["WebP"]) <= int(sizes[".yoto"])


def test_the_line_is_dragged(page):
    def edge():
        return page.execute_script(
            "const style = getComputedStyle(document.getElementById('other'));"
            "return style.clipPath"
        )

    assert edge() == "inset(0px 0px 0px 50%)"
    page.execute_script(
        "arguments[0].value = 20;"
        "arguments[0].dispatchEvent(new Event('input', { bubbles: true }));",
        find(page, "split"),
    )
    assert edge() == "inset(0px 0px 0px 20%)"


def test_a_file_is_opened(page, photograph, untrained_codec, tmp_path):
    picture = photograph[100:270, 150:400]
    data = untrained_codec.compress(picture, quality=0.8)
    (tmp_path / "theirs.yoto").write_bytes(data)
    upload(page, tmp_path / "theirs.yoto")
    status(page, "250 × 170 pixels, read in")
    assert off(shown(page), untrained_codec.decompress(data)) <= TOLERANCE
    assert cells(page)[".yoto"][0].replace(",", "") == str(len(data))
    assert find(page, "quality").get_attribute("value") == "80"
    assert not find(page, "quality").is_enabled()
    assert not find(page, "comparison").is_displayed()
    # A picture comes back to the dial.
    write_image(tmp_path / "mine.png", picture)
    upload(page, tmp_path / "mine.png")
    status(page, "written in")
    assert find(page, "quality").is_enabled()
    assert find(page, "comparison").is_displayed()


def test_longest_side(page, photograph, tmp_path):
    write_image(tmp_path / "mine.png", photograph)
    upload(page, tmp_path / "mine.png")
    status(page, "512 × 600 pixels")
    Select(find(page, "size")).select_by_value("512")
    status(page, "437 × 512 pixels")
    assert shown(page).shape == (512, 437, 3)


def files_that_are_not_shown(codec, picture):
    """{what the page says: the content of a file}."""
    whole = codec.compress(picture, quality=0.1)
    container = Container.from_bytes(whole)
    other = bytearray(whole)
    other[5] ^= 1
    foreign = Container(
        bytes(range(8)), container.coefficients, 3, 4, container.sections
    )
    large = Container(codec.model_id, container.coefficients, 8000, 9000, (b"", b""))
    return {
        "is lossless and needs no network": exact(picture).to_bytes(),
        "its checksum is wrong": bytes(other),
        "its symbols do not end where they should": Container(
            codec.model_id, container.coefficients, 8, 8, (b"\x80", b"")
        ).to_bytes(),
        "was written by another model, 0001020304050607": foreign.to_bytes(),
        "72 megapixels is too large": large.to_bytes(),
    }


def test_what_cannot_be_opened_is_one_line(page, photograph, untrained_codec, tmp_path):
    before = shown(page)
    files = files_that_are_not_shown(untrained_codec, photograph[:32, :32])
    for number, (text, data) in enumerate(files.items()):
        (tmp_path / f"{number}.yoto").write_bytes(data)
        upload(page, tmp_path / f"{number}.yoto")
        said = status(page, text)
        assert said.get_attribute("class") == "wrong"
        assert len(said.text.splitlines()) == 1
        assert off(shown(page), before) == 0
    (tmp_path / "letter.png").write_text("Dear Sir or Madam,\n")
    upload(page, tmp_path / "letter.png")
    status(page, "letter.png is not a picture that this browser can read.")
    # The dial is still that of the picture before.
    Select(find(page, "size")).select_by_value("512")
    status(page, "192 × 108 pixels, written in")


def test_a_second_layer_is_named(page, untrained_codec, tmp_path):
    """Blocks of stripes, which networks for photographs miss, are in a layer of it."""
    picture = np.full((192, 192, 3), 100, "uint8")
    picture[64:128, 64:128:2] = 255
    picture = np.clip(
        picture + np.random.default_rng(0).normal(0, 3, picture.shape), 0, 255
    ).astype("uint8")
    data = untrained_codec.compress(picture, quality=1)
    assert Container.from_bytes(data).residual is not None
    (tmp_path / "striped.yoto").write_bytes(data)
    upload(page, tmp_path / "striped.yoto")
    status(page, "This page does not show the second layer of this file")
    assert shown(page).shape == picture.shape


def test_nothing_is_fetched_from_elsewhere(page):
    loaded = page.execute_script(
        "return performance.getEntriesByType('resource').map(entry => entry.name)"
    )
    assert len(loaded) > 4
    here = urllib.parse.urlparse(page.current_url).netloc
    assert {urllib.parse.urlparse(name).netloc for name in loaded} == {here}
    assert [line for line in page.get_log("browser") if line["level"] == "SEVERE"] == []


def test_nothing_wraps_on_a_phone(page, tmp_path):
    page.set_window_size(500, 900)
    try:
        widths = page.execute_script(
            "return [document.documentElement.scrollWidth, innerWidth]"
        )
        assert widths[0] <= widths[1]
        page.save_screenshot(tmp_path / "phone.png")
        heights = page.execute_script(
            "return [...document.querySelectorAll('td, th, legend, .dial label')]"
            ".map(cell => cell.getBoundingClientRect().height)"
        )
        assert max(heights) < 40
    finally:
        page.set_window_size(1200, 1000)
