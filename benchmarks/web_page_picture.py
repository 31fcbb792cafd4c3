"""The guide's picture of the exported page, `docs/web-page.webp`.

    yoto export stylization site --target web
    python benchmarks/web_page_picture.py site

clicks a second painting in a headless Chromium, which must be on the PATH, and takes a
screenshot of 1440×900.
"""

import argparse
import io
from pathlib import Path

from headless_chromium import chromium
from PIL import Image
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait
from static_host import hosted

PICTURE = Path(__file__).parents[1] / "docs" / "web-page.webp"
SECOND = "Starry night"
PATIENCE = 120  # seconds


def take(url):
    """What a new browser shows at an address, when two paintings are mixed."""
    with chromium("--hide-scrollbars") as browser:
        size = {"width": 1440, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        browser.get(url)
        wait = WebDriverWait(browser, PATIENCE)
        status = browser.find_element(By.ID, "status")
        wait.until(lambda _: " ms on " in status.text)
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
    parser.add_argument("site", type=Path)
    with hosted(parser.parse_args().site) as url:
        take(url).save(PICTURE, quality=80, method=6)
    print(PICTURE)


if __name__ == "__main__":
    main()
