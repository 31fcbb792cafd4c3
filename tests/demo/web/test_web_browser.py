"""The page in a real browser, a headless Chromium.

    YOTO_BROWSER=1 pytest tests/demo/web/test_web_browser.py --basetemp=/tmp/shots

leaves screenshots under the given folder. They show networks that nobody trained; the
one in the README is drawn by `benchmarks/web_demo_picture.py`.
"""

import os
import urllib.parse

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("gradio", reason="the extra `web` is not installed")
pytest.importorskip("selenium", reason="selenium is not installed")

# Beside other tests on two cores a page may take longer than anybody waits.
if not os.environ.get("YOTO_BROWSER"):
    pytest.skip("a browser is started with YOTO_BROWSER=1", allow_module_level=True)

import headless_chromium
from selenium import webdriver
from selenium.common.exceptions import (
    ElementClickInterceptedException,
    StaleElementReferenceException,
)
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from yoto_tf.demo.web.codec_tab import without_traces_of_jpeg


@pytest.fixture(scope="module")
def chromium():
    if headless_chromium.missing():
        pytest.skip(f"not on the PATH: {', '.join(headless_chromium.missing())}")
    with headless_chromium.chromium() as browser:
        yield browser


@pytest.fixture
def page(chromium, address):
    """The page, just loaded, its first tab showing pictures."""
    chromium.get(address)
    wait(chromium, lambda: len(shown(chromium, ".ours")) == 2)
    return chromium


def wait(page, condition, message=""):
    """What the condition returns once that is true."""
    return WebDriverWait(page, 60, 0.1).until(lambda _: condition(), message)


def find(page, selector):
    return page.find_element(By.CSS_SELECTOR, selector)


def shown(page, place):
    """The addresses of the pictures that have arrived in a part of the page."""
    return page.execute_script(
        "return [...document.querySelectorAll(arguments[0] + ' img')]"
        ".filter(i => i.complete && i.naturalWidth).map(i => i.currentSrc)",
        place,
    )


def widths(page, place):
    return page.execute_script(
        "return [...document.querySelectorAll(arguments[0] + ' img')]"
        ".map(i => i.naturalWidth)",
        place,
    )


def changed(page, place, before):
    """Waits for other pictures than before, and returns them."""
    return wait(
        page,
        lambda: len(now := shown(page, place)) == len(before) and now != before and now,
        f"the pictures in {place} do not change",
    )


def open_tab(page, title):
    for tab in page.find_elements(By.CSS_SELECTOR, "button[role=tab]"):
        if tab.text == title:
            tab.click()
            return
    raise AssertionError(f"no tab {title}")


def press(page, name):
    """Presses the visible button of that name or text, once it is there."""
    path = f"//button[@aria-label='{name}' or normalize-space()='{name}']"

    def pressed():
        for button in page.find_elements(By.XPATH, path):
            if button.is_displayed():
                button.click()
                return True
        return False

    # The page may draw a button anew, or move it, between finding and pressing it.
    moving = (StaleElementReferenceException, ElementClickInterceptedException)
    WebDriverWait(page, 60, 0.1, moving).until(lambda _: pressed(), f"no {name!r}")


def press_label(page, text):
    for label in page.find_elements(By.CSS_SELECTOR, "label"):
        if label.text == text:
            label.click()
            return
    raise AssertionError(f"no {text}")


def message(page):
    return wait(page, lambda: find(page, "[data-testid=toast-body]").text)


def test_nothing_is_fetched_from_elsewhere(page, address):
    loaded = page.execute_script(
        "return performance.getEntriesByType('resource').map(entry => entry.name)"
    )
    assert len(loaded) > 10
    hosts = {urllib.parse.urlparse(name).netloc for name in loaded}
    assert hosts - {""} == {urllib.parse.urlparse(address).netloc}
    assert [line for line in page.get_log("browser") if line["level"] == "SEVERE"] == []


def test_quality_changes_the_picture_and_the_numbers(page, tmp_path):
    before, numbers = shown(page, ".ours"), find(page, ".numbers").text
    assert "bits/pixel" in numbers
    find(page, ".quality input[type=range]").send_keys(Keys.END)
    after = changed(page, ".ours", before)
    # The original on the left stays.
    assert before[0] == after[0]
    wait(page, lambda: "0.1800" in find(page, ".numbers").text)
    page.save_screenshot(tmp_path / "codec.png")
    # It is a picture that is not of one colour only.
    assert np.asarray(Image.open(tmp_path / "codec.png")).std() > 20


def test_another_format_beside_it(page):
    before = shown(page, ".other")
    press_label(page, "AVIF")
    after = changed(page, ".other", before)
    assert after[0] == before[0]


def test_the_file_can_be_downloaded(page, untrained_codec, photograph, tmp_path):
    def holds(expected):
        # Chromium finishes a file before it gives it this suffix.
        return expected in [file.read_bytes() for file in tmp_path.glob("*.yoto")]

    options = {"behavior": "allow", "downloadPath": str(tmp_path)}
    page.execute_cdp_cmd("Browser.setDownloadBehavior", options)
    image = without_traces_of_jpeg(photograph[::4, ::4])
    press(page, "Download the compressed picture (.yoto)")
    wait(page, lambda: holds(untrained_codec.compress(image, quality=0.5)))
    before = shown(page, ".ours")
    find(page, ".quality input[type=range]").send_keys(Keys.END)
    changed(page, ".ours", before)
    press(page, "Download the compressed picture (.yoto)")
    wait(page, lambda: holds(untrained_codec.compress(image, quality=1.0)))


@pytest.mark.parametrize("width", [500, 1440])
def test_slider_and_pictures_fit_and_nothing_is_cut_off(page, width, tmp_path):
    # Chromium's windows are at least 500 pixels wide.
    page.set_window_size(width, 900)
    page.get(page.current_url)
    wait(page, lambda: len(shown(page, ".other")) == 2)
    page.save_screenshot(tmp_path / f"codec-{width}.png")
    inner, scrolled = page.execute_script(
        "return [window.innerWidth, document.documentElement.scrollWidth]"
    )
    assert scrolled <= inner
    for cell in page.find_elements(By.CSS_SELECTOR, ".numbers td"):
        assert cell.rect["height"] < 45, cell.text
    if width == 1440:
        bottom = find(page, ".ours").rect["y"] + find(page, ".ours").rect["height"]
        assert bottom <= page.execute_script("return window.innerHeight")


def test_upload(page, photograph, tmp_path):
    path = tmp_path / "mine.png"
    Image.fromarray(photograph[100:200, 150:287]).save(path)
    before = shown(page, ".ours")
    find(page, ".picture input[type=file]").send_keys(str(path))
    changed(page, ".ours", before)
    assert widths(page, ".ours") == [137, 137]
    assert widths(page, ".other") == [137, 137]
    # The slider now works on the new one.
    before = shown(page, ".ours")
    find(page, ".quality input[type=range]").send_keys(Keys.HOME)
    after = changed(page, ".ours", before)
    assert widths(page, ".ours") == [137, 137]
    assert before[0] == after[0]


def test_large_upload_is_scaled_down_with_a_word(page, photograph, tmp_path):
    path = tmp_path / "large.png"
    Image.fromarray(photograph.repeat(2, axis=0).repeat(2, axis=1)).save(path)
    find(page, ".picture input[type=file]").send_keys(str(path))
    wait(page, lambda: "Scaled down from 1024 × 1200" in find(page, ".note").text)


@pytest.mark.parametrize("name", ["letter.png", "letter.txt"])
def test_text_as_a_picture(page, tmp_path, name):
    path = tmp_path / name
    path.write_text("Dear Sir or Madam,\n")
    find(page, ".picture input[type=file]").send_keys(str(path))
    text = message(page)
    assert "Traceback" not in text
    if name == "letter.png":
        assert "cannot read letter.png: not a picture in a known format" in text
    else:
        assert "image" in text


def test_wipe_moves(page):
    line = find(page, ".ours [data-testid=slider]")
    place = line.rect["x"]
    webdriver.ActionChains(page).drag_and_drop_by_offset(line, 100, 0).perform()
    wait(page, lambda: line.rect["x"] > place + 50)


def test_style(page, tmp_path):
    open_tab(page, "Style")
    before = wait(page, lambda: shown(page, ".stylized"))
    find(page, ".dial input[type=range]").send_keys(Keys.END)
    before = changed(page, ".stylized", before)
    styles = page.find_elements(By.CSS_SELECTOR, ".styles button")
    assert len(styles) == 2
    styles[1].click()
    before = changed(page, ".stylized", before)
    assert "udnie=0.5" in find(page, ".command").text
    find(page, ".share input[type=range]").send_keys(Keys.END)
    before = changed(page, ".stylized", before)
    assert "udnie=1" in find(page, ".command").text
    press(page, "Surprise me")
    changed(page, ".stylized", before)
    page.save_screenshot(tmp_path / "style.png")


def test_webcam(page):
    """Chromium's test pattern takes the place of a camera."""
    open_tab(page, "Style")
    before = wait(page, lambda: shown(page, ".stylized"))
    press(page, "Remove Image")
    press(page, "Capture from camera")
    press(page, "Click to Access Webcam")
    press(page, "capture photo")
    changed(page, ".stylized", before)


def test_vae(page, tmp_path):
    open_tab(page, "VAE")
    places = [".reconstructions", ".samples"]
    first = [wait(page, lambda place=place: shown(page, place)) for place in places]
    find(page, ".beta input[type=range]").send_keys(Keys.END)
    second = [
        changed(page, place, before)
        for place, before in zip(places, first, strict=True)
    ]
    assert "β = 512" in page.page_source
    press(page, "Other samples")
    changed(page, ".samples", second[1])
    assert shown(page, ".reconstructions") == second[0]
    page.save_screenshot(tmp_path / "vae.png")
