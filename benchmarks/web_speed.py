"""How fast the static page is in a headless Chromium, and how large.

    yoto export stylization site --target web
    python benchmarks/web_speed.py site

serves the folder from this machine, loads the page in fresh browsers, stylises square
pictures and the test pattern that Chromium has for a camera, prints medians and writes
`results/web_speed.json`. Without a folder it exports an untrained network of the given
width. Nothing else should be running. Chromium and its driver must be on the PATH.
"""

import argparse
import contextlib
import itertools
import json
import os
import statistics
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from headless_chromium import chromium
from selenium.webdriver.support.wait import WebDriverWait
from static_host import hosted

RESULTS = Path(__file__).parent / "results" / "web_speed.json"
SECONDS = 300
SIZES = (256, 512)
# Milliseconds from the start of the navigation.
FIRST = """
const [paint] = performance.getEntriesByName("first-contentful-paint");
const [picture] = performance.getEntriesByName("picture");
return picture && { first_paint: paint.startTime, first_picture: picture.startTime };
"""
# The page's own modules: each is loaded once.
FRAMES = """
const [size, count, done] = arguments;
(async () => {
  const { stylize } = await import("./network.js");
  const { settings } = await import("./settings.js");
  const { style, coefficients } = settings();
  const times = [];
  for (let frame = 0; frame < count; frame++) {
    const pixels = Uint8ClampedArray.from({ length: 4 * size ** 2 }, (_, i) => i % 251);
    const image = new ImageData(pixels, size, size);
    times.push((await stylize(image, style, coefficients)).milliseconds);
  }
  return times;
})().then(done, (error) => done(error.message));
"""
DEVICE = "return document.getElementById('status').textContent.split(' on ')[1]"
START_CAMERA = "document.getElementById('camera').click()"
# When every picture was shown.
SHOWN = "return performance.getEntriesByName('picture').map((mark) => mark.startTime)"


@contextlib.contextmanager
def browsing(url):
    """A new browser that has shown the first stylised picture of the page."""
    with chromium() as page:
        page.set_script_timeout(SECONDS)
        page.get(url)
        waited(page, lambda: page.execute_script(FIRST))
        yield page


def waited(page, condition):
    return WebDriverWait(page, SECONDS, 0.1).until(lambda _: condition())


def squares(page, size, count):
    """Milliseconds that each of some size × size pictures takes, but for the first."""
    times = page.execute_async_script(FRAMES, size, count + 1)
    if isinstance(times, str):
        raise SystemExit(f"{size} × {size} pixels: {times}")
    return times[1:]


def camera(page, count):
    """Milliseconds from each of some pictures of the camera to the next."""
    before = len(page.execute_script(SHOWN))
    page.execute_script(START_CAMERA)
    # The first is still of the photograph, the next waits for the camera.
    wanted = before + count + 3
    waited(page, lambda: len(page.execute_script(SHOWN)) >= wanted)
    shown = page.execute_script(SHOWN)[before + 2 : wanted]
    return [after - before for before, after in itertools.pairwise(shown)]


def untrained(width, folder):
    """Exports a stylizer of 16 styles that nobody trained."""
    from yoto_tf import Coefficients, LogUniform
    from yoto_tf.export import export
    from yoto_tf.zoo.stylization import StyleNetwork, Stylizer

    names = ("content", "style_1", "style_2", "style_3", "style_4")
    coefficients = Coefficients(**dict.fromkeys(names, LogUniform(0.01, 1.0)))
    styles = [f"painting_{number}" for number in range(16)]
    network = StyleNetwork(coefficients, styles, width)
    network.build(None)
    export(Stylizer.from_network(network), folder, "web")


def sizes(folder):
    """Bytes of the parts of the page and of all of it."""
    result = {"network": 0, "runtime": 0, "page": 0}
    for path in folder.rglob("*"):
        if path.is_file():
            part = path.relative_to(folder).parts[0]
            result[part if part in result else "page"] += path.stat().st_size
    return {**result, "all": sum(result.values())}


def in_fresh_browsers(url, rounds, last):
    """What a page says of its start, and what the last browser is asked besides.

    Args:
        url: of the page.
        rounds: how many browsers.
        last: function of the last one.

    Returns:
        {event: median of milliseconds}, and what `last` returned.
    """
    first = []
    for round_ in range(rounds):
        with browsing(url) as page:
            first.append(page.execute_script(FIRST))
            if round_ == rounds - 1:
                found = last(page)
    medians = {
        name: round(statistics.median(times[name] for times in first))
        for name in first[0]
    }
    return medians, found


def measured(url, options):
    """Medians of all that is timed."""

    def pace(page):
        frames = {size: squares(page, size, options.frames) for size in SIZES}
        return page.execute_script(DEVICE), frames, camera(page, options.frames)

    first, found = in_fresh_browsers(url, options.rounds, pace)
    device, frames, moving = found
    result = {"device": device, "milliseconds_to": first}
    rates = {f"{size} × {size}": times for size, times in frames.items()}
    rates["camera, 256 × 192"] = moving
    result["frames_per_second"] = {
        name: round(1000 / statistics.median(times), 2) for name, times in rates.items()
    }
    return result


def write(results, path):
    """Writes figures as JSON, and prints them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(results, indent=2, ensure_ascii=False) + "\n"
    path.write_text(text, "utf-8")
    print(text, end="")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, nargs="?", help="an exported page")
    parser.add_argument("--width", type=float, default=1.0, help="where untrained")
    parser.add_argument("--backend", help="webgl or wasm; default: the page's choice")
    parser.add_argument("--rounds", type=int, default=5, help="fresh browsers")
    parser.add_argument("--frames", type=int, default=10, help="of every size")
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary) / "site"
        if options.folder is None:
            untrained(options.width, folder)
        results = {"bytes": sizes(folder)}
        with hosted(folder) as url:
            query = f"?backend={options.backend}" if options.backend else ""
            results |= measured(url + query, options)
    write(results, options.results)


if __name__ == "__main__":
    main()
