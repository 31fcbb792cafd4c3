"""The exported page in a headless Chromium without a graphics processor.

    YOTO_BROWSER=1 pytest tests/export -k stylizer_browser --basetemp=/tmp/shots

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

from yoto_tf.export import export

pytest.importorskip("selenium", reason="selenium is not installed")

# Beside other tests on two cores a page may take longer than anybody waits.
if not os.environ.get("YOTO_BROWSER"):
    pytest.skip("a browser is started with YOTO_BROWSER=1", allow_module_level=True)

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

# Levels of 255 that a pixel of the page may be off Keras's.
TOLERANCE = 1


@pytest.fixture(scope="module")
def address(model_of, tmp_path_factory):
    if shutil.which("npm") is None:
        pytest.skip("no npm on the PATH")
    folder = tmp_path_factory.mktemp("web") / "site"
    export(model_of("stylizer"), folder, "web")
    with hosted(folder) as url:
        yield url


@pytest.fixture
def page(chromium, address):
    """The page, just loaded, with its first picture."""
    chromium.get("about:blank")
    chromium.get(address)
    wait(chromium, lambda: pictures(chromium) and idle(chromium))
    return chromium


def wait(page, condition, message=""):
    """What the condition returns once that is true."""
    return WebDriverWait(page, 60, 0.05).until(lambda _: condition(), message)


def find(page, name):
    return page.find_element(By.ID, name)


def pictures(page):
    return int(find(page, "result").get_attribute("data-pictures") or 0)


def idle(page):
    """Whether what is shown is of the settings and picture there are."""
    return " ms on the " in find(page, "status").text


def shown(page):
    """The picture on the page, uint8 [H, W, 3]."""
    address = page.execute_script(
        "return document.getElementById('result').toDataURL()"
    )
    content = base64.b64decode(address.partition(",")[2])
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def changed(page, action):
    """The picture after an action that changes it."""
    before = shown(page)
    action()

    def other():
        after = shown(page)
        return after.shape != before.shape or np.any(after != before)

    wait(page, other, "the picture does not change")
    return shown(page)


def upload(page, picture, path):
    Image.fromarray(picture).save(path)
    find(page, "file").send_keys(str(path))


def click_painting(page, number):
    page.find_elements(By.CSS_SELECTOR, "#paintings button")[number].click()


def set_dial(page, name, position):
    """Puts a slider to a position from 0 to its maximum, as a hand would."""
    page.execute_script(
        "arguments[0].value = arguments[1];"
        "arguments[0].dispatchEvent(new Event('input', { bubbles: true }));",
        find(page, name),
        position,
    )


def test_nothing_is_fetched_from_elsewhere(page, address):
    loaded = page.execute_script(
        "return performance.getEntriesByType('resource').map(entry => entry.name)"
    )
    assert len(loaded) > 4
    hosts = {urllib.parse.urlparse(name).netloc for name in loaded}
    assert hosts == {urllib.parse.urlparse(address).netloc}
    assert [line for line in page.get_log("browser") if line["level"] == "SEVERE"] == []


def test_policy_covers_the_page_and_its_worker(page):
    """A worker that is loaded from an address would have a policy of its own."""
    attempt = """
        const done = arguments[arguments.length - 1];
        const code = `fetch("http://127.0.0.1:1/").then(
            () => postMessage("sent"), (error) => postMessage("refused"));
            addEventListener("securitypolicyviolation",
                (event) => postMessage(event.effectiveDirective));`;
        const url = URL.createObjectURL(new Blob([code]));
        const seen = [];
        new Worker(url).onmessage = ({ data }) => {
            if (seen.push(data) === 2) done(seen.sort());
        };
    """
    assert page.execute_async_script(attempt) == ["connect-src", "refused"]


@pytest.mark.parametrize("backend", ["wasm", "webgl"])
@pytest.mark.parametrize(("height", "width"), [(64, 64), (50, 81)])
def test_picture_is_what_keras_gives(
    backend, height, width, chromium, address, model_of, photograph, tmp_path
):
    page, stylizer = chromium, model_of("stylizer")
    page.get("about:blank")
    page.get(f"{address}?backend={backend}")
    wait(page, lambda: pictures(page) and idle(page))
    picture = photograph[100 : 100 + height, 200 : 200 + width]
    changed(page, lambda: upload(page, picture, tmp_path / "mine.png"))
    click_painting(page, 0)
    click_painting(page, 2)
    set_dial(page, "share", 30)
    before = pictures(page)
    set_dial(page, "style_2", 100)
    wait(page, lambda: pictures(page) > before)
    wait(page, lambda: f"{width} × {height} pixels" in find(page, "status").text)
    expected = stylizer.stylize(picture, {"dots": 0.7, "stripes": 0.3}, style_2=1.0)
    wait(page, lambda: near(shown(page), expected), "another picture than Keras's")
    assert expected.std() > 5
    place = "the graphics processor" if backend == "webgl" else "the processor"
    assert find(page, "status").text.endswith(f"on {place}")


def near(found, expected):
    if found.shape != expected.shape:
        return False
    return np.abs(found.astype(int) - expected).max() <= TOLERANCE


def test_software_webgl_is_not_chosen(page):
    assert find(page, "status").text.endswith("on the processor")


def test_every_dial_and_button_changes_the_picture(page, tmp_path):
    page.save_screenshot(tmp_path / "page.png")
    for name in ("content", "style_1", "style_2", "style_3", "style_4"):
        before = find(page, name).get_attribute("value")
        changed(page, lambda name=name: find(page, name).send_keys(Keys.END))
        assert before != find(page, name).get_attribute("value")
        label = page.find_element(By.CSS_SELECTOR, f"output[for={name}]")
        assert float(label.text) == 1.0
    assert not find(page, "mixture").is_displayed()
    changed(page, lambda: click_painting(page, 1))
    assert find(page, "mixture").is_displayed()
    changed(page, lambda: set_dial(page, "share", 90))
    painted = changed(page, lambda: Select(find(page, "size")).select_by_index(0))
    assert max(painted.shape) == 128
    original = changed(page, find(page, "compare").click)
    assert original.shape == painted.shape
    np.testing.assert_array_equal(changed(page, find(page, "compare").click), painted)
    changed(page, find(page, "random").click)
    changed(page, page.find_element(By.CSS_SELECTOR, "button[type=reset]").click)
    assert find(page, "content").get_attribute("value") == "50"
    assert not find(page, "mixture").is_displayed()


def test_paintings_are_clicked_one_or_two(page):
    def pressed():
        buttons = page.find_elements(By.CSS_SELECTOR, "#paintings button")
        return [
            number
            for number, button in enumerate(buttons)
            if button.get_attribute("aria-pressed") == "true"
        ]

    assert pressed() == [0]
    assert max(shown(page).shape) == 512
    for clicked, left in ((1, [0, 1]), (2, [1, 2]), (2, [2]), (0, [0, 2])):
        changed(page, lambda clicked=clicked: click_painting(page, clicked))
        assert pressed() == left
    assert find(page, "chosen").text == "Stripes and Dots"
    pictures = page.execute_script(
        "return [...document.querySelectorAll('#paintings img')]"
        ".map(image => image.naturalWidth)"
    )
    assert pictures == [144, 144, 144]


def test_webcam(page, tmp_path):
    """Chromium's test pattern, which moves, takes the place of a camera."""
    camera = find(page, "camera")
    changed(page, camera.click)
    wait(page, lambda: shown(page).shape == (192, 256, 3))
    wait(page, lambda: "pictures a second" in find(page, "status").text)
    count = pictures(page)
    wait(page, lambda: pictures(page) > count + 2)
    page.save_screenshot(tmp_path / "webcam.png")
    camera.click()
    assert camera.get_attribute("aria-pressed") == "false"
    wait(page, lambda: "pictures a second" not in find(page, "status").text)
    # Its last picture stays, and the dials work on it.
    changed(page, lambda: find(page, "content").send_keys(Keys.END))
    assert shown(page).shape == (192, 256, 3)


def test_text_as_a_picture(page, tmp_path):
    path = tmp_path / "letter.png"
    path.write_text("Dear Sir or Madam,\n")
    find(page, "file").send_keys(str(path))
    text = "letter.png is not a picture that this browser can read."
    wait(page, lambda: find(page, "status").text == text)


def test_phone(page, tmp_path):
    page.set_window_size(500, 900)
    try:
        widths = page.execute_script(
            "return [document.documentElement.scrollWidth, innerWidth]"
        )
        assert widths[0] <= widths[1]
        assert find(page, "camera").is_displayed()
        page.save_screenshot(tmp_path / "phone.png")
    finally:
        page.set_window_size(1200, 1000)
