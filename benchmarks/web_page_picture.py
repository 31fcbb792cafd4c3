"""The guide's pictures of exported pages, `web-page.webp` and `web-codec-page.webp`.

    yoto export stylization site --target web
    yoto export codec codec-site --target web
    python benchmarks/web_page_picture.py site codec-site

clicks a second painting, or JPEG to compare with, in a headless Chromium, which must be
on the PATH, and takes a screenshot of 1440×900.
"""

import argparse
import io
import json
from pathlib import Path

from headless_chromium import chromium
from PIL import Image
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait
from static_host import hosted

DOCS = Path(__file__).parents[1] / "docs"
# Of a family: the picture, and what the status says when the page is ready.
PAGES = {
    "stylization": ("web-page.webp", " ms on "),
    "codec": ("web-codec-page.webp", "written in"),
}
SECOND = "Starry night"
PATIENCE = 120  # seconds


def take(url, family):
    """What a new browser shows at an address, after a click."""
    _, ready = PAGES[family]
    with chromium("--hide-scrollbars") as browser:
        size = {"width": 1440, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        browser.get(url)
        wait = WebDriverWait(browser, PATIENCE)
        status = browser.find_element(By.ID, "status")
        wait.until(lambda _: ready in status.text)
        if family == "codec":
            browser.find_element(By.CSS_SELECTOR, "input[value=JPEG]").click()
        else:
            before = status.text
            for painting in browser.find_elements(By.CSS_SELECTOR, "#paintings button"):
                if painting.text == SECOND:
                    painting.click()
            wait.until(lambda _: status.text != before)
        # Its seconds say more of this machine than of the page.
        browser.execute_script("arguments[0].textContent = ''", status)
        # Its outline says where the keyboard is.
        browser.execute_script("document.activeElement.blur()")
        return Image.open(io.BytesIO(browser.get_screenshot_as_png())).convert("RGB")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("site", type=Path, nargs="+")
    for site in parser.parse_args().site:
        family = json.loads((site / "yoto.json").read_text("utf-8"))["family"]
        picture = DOCS / PAGES[family][0]
        with hosted(site) as url:
            take(url, family).save(picture, quality=80, method=6)
        print(picture)


if __name__ == "__main__":
    main()
