"""The browser that the pages are tested in."""

import pytest


@pytest.fixture(scope="module")
def chromium():
    """A headless Chromium without a graphics processor; needs selenium."""
    import headless_chromium

    if headless_chromium.missing():
        pytest.skip(f"not on the PATH: {', '.join(headless_chromium.missing())}")
    # An imitation of WebGL on the processor, which the page uses only when told to.
    with headless_chromium.chromium("--enable-unsafe-swiftshader") as browser:
        browser.set_script_timeout(120)
        yield browser
