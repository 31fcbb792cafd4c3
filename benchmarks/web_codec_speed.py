"""How fast the codec's page is in a headless Chromium, and how large.

    yoto export codec site --target web
    yoto export codec-small small-site --target web
    python benchmarks/web_codec_speed.py site small-site

serves each folder from this machine, loads the page in fresh browsers, compresses a
picture of 768×512 in the middle of the dial, opens the file again, prints medians and
writes `results/web_codec_speed.json`. Nothing else should be running. Chromium and its
driver must be on the PATH.
"""

import argparse
import json
import statistics
from pathlib import Path

from static_host import hosted
from web_speed import SECONDS, in_fresh_browsers, sizes, write

RESULTS = Path(__file__).parent / "results" / "web_codec_speed.json"
# The page's photograph, scaled, through the page's own thread.
TIMES = """
const [count, done] = arguments;
(async () => {
  const { ask } = await import("./thread.js");
  const { range } = JSON.parse(document.getElementById("description").textContent);
  const canvas = new OffscreenCanvas(768, 512);
  const context = canvas.getContext("2d");
  const answer = await fetch("photograph.png");
  const bitmap = await createImageBitmap(await answer.blob());
  context.drawImage(bitmap, 0, 0, 768, 512);
  const { data, width, height } = context.getImageData(0, 0, 768, 512);
  const coefficient = Math.sqrt(range[0] * range[1]);
  const times = [];
  for (let round = 0; round < count; round++) {
    const pixels = data.slice();
    const asked = { pixels, width, height, coefficient };
    const { encoding, file } = await ask({ compress: asked });
    const { decoding } = await ask({ decompress: file });
    times.push([encoding, decoding, file.length]);
  }
  return times;
})().then(done, (error) => done(error.message));
"""


def measured(url, options):
    """Medians of all that is timed."""

    def files(page):
        page.set_script_timeout(SECONDS)
        times = page.execute_async_script(TIMES, options.pictures + 1)
        return page.execute_script("return document.body.dataset.device"), times

    first, (device, times) = in_fresh_browsers(url, options.rounds, files)
    if isinstance(times, str):
        raise SystemExit(times)
    encoding, decoding, size = zip(*times[1:], strict=True)
    return {
        "device": device,
        "milliseconds_to": first,
        "768 × 512": {
            "encode_seconds": round(statistics.median(encoding), 2),
            "decode_seconds": round(statistics.median(decoding), 2),
            "bytes": size[0],
        },
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, nargs="+", help="an exported page")
    parser.add_argument("--backend", help="webgl or wasm; default: the page's choice")
    parser.add_argument("--rounds", type=int, default=5, help="fresh browsers")
    parser.add_argument("--pictures", type=int, default=5)
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    query = f"?backend={options.backend}" if options.backend else ""
    results = {}
    for folder in options.folder:
        name = json.loads((folder / "yoto.json").read_text("utf-8"))["name"]
        with hosted(folder) as url:
            results[name] = {"bytes": sizes(folder), **measured(url + query, options)}
    write(results, options.results)


if __name__ == "__main__":
    main()
