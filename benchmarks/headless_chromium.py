"""A headless Chromium without a graphics processor, driven by Selenium."""

import contextlib
import shutil
import tempfile

from selenium import webdriver

PROGRAMS = ("chromium", "chromedriver")
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--window-size=1200,1000",
)


def missing():
    """The programs it takes that are not on the PATH."""
    return [name for name in PROGRAMS if shutil.which(name) is None]


@contextlib.contextmanager
def chromium(*options):
    """A browser with a new profile, which ends with the context.

    Its camera is Chromium's moving test pattern.

    Args:
        *options: of the command line, beside `OPTIONS`.

    Yields:
        `selenium.webdriver.Chrome`.

    Raises:
        FileNotFoundError: one of `PROGRAMS` is not on the PATH.
    """
    if missing():
        raise FileNotFoundError(f"not on the PATH: {' and '.join(missing())}")
    program, driver = map(shutil.which, PROGRAMS)
    settings = webdriver.ChromeOptions()
    settings.binary_location = program
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        for option in (*OPTIONS, *options, f"--user-data-dir={profile}"):
            settings.add_argument(option)
        with webdriver.Chrome(settings, webdriver.ChromeService(driver)) as browser:
            yield browser
