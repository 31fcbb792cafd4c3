"""Peak memory of `yoto compress` and `yoto decompress` as pictures grow.

    python benchmarks/codec_memory.py                          # up to 100 megapixels
    python benchmarks/codec_memory.py --lossless

Every picture is compressed and decompressed by processes of their own, whose largest
resident set is what counts: TensorFlow, the network, the picture as read and written,
everything; with `--lossless` there are neither TensorFlow nor a network. A small
picture comes first: the growth from there is what large ones cost. Prints a table and
writes `results/codec_memory.json` or `results/codec_memory_lossless.json`. The times
are those of the whole command on a machine that may be busy; for speed see
`codec_speed.py`.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
SIZES = ["768x512", "4000x3000", "10000x10000", "65535x1525"]


def run_and_measure(arguments):
    """Runs `yoto ARGUMENTS` in this process and prints its peak memory in GiB."""
    from yoto_tf.cli import main

    status = main(arguments)
    # Kilobytes on Linux.
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)
    return status


def measured(*arguments):
    """Seconds and GiB of `yoto ARGUMENTS`."""
    command = [sys.executable, __file__, "--worker", *map(str, arguments)]
    began = time.perf_counter()
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "gigabytes": float(done.stdout.split()[-1])}


def write_picture(path, width, height):
    """A PNG of the demo's photograph, repeated without visible period, and noise."""
    import numpy as np
    from PIL import Image

    from yoto_tf.data import photograph

    Image.MAX_IMAGE_PIXELS = None
    photograph = photograph()
    rows, columns = photograph.shape[:2]
    draw = np.random.default_rng(0)
    image = np.empty((height, width, 3), "uint8")
    for top in range(0, height, rows):
        for left in range(0, width, columns):
            place = image[top : top + rows, left : left + columns]
            noisy = photograph[: place.shape[0], : place.shape[1]].astype("int16")
            noisy += draw.integers(-4, 5, noisy.shape, dtype="int16")
            np.clip(noisy, 0, 255, out=noisy)
            place[:] = noisy
    Image.fromarray(image).save(path, compress_level=1)


def main():
    if sys.argv[1:2] == ["--worker"]:
        return run_and_measure(sys.argv[2:])
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", default="codec")
    parser.add_argument("--sizes", nargs="+", default=SIZES, metavar="WIDTHxHEIGHT")
    parser.add_argument("--lossless", action="store_true")
    parser.add_argument("--results", type=Path)
    options = parser.parse_args()

    model = ("--model", options.model)
    compress = ("--lossless",) if options.lossless else model
    path = options.results or RESULTS / (
        "codec_memory_lossless.json" if options.lossless else "codec_memory.json"
    )
    results = {"model": None if options.lossless else options.model, "pictures": []}
    print(f"{'picture':>13}  {'megapixels':>10}  {'compress':>16}  {'decompress':>16}")
    for size in options.sizes:
        width, height = map(int, size.split("x"))
        with tempfile.TemporaryDirectory() as folder:
            picture, file, decoded = (
                Path(folder) / name for name in ("in.png", "in.yoto", "out.png")
            )
            write_picture(picture, width, height)
            result = {
                "width": width,
                "height": height,
                "compress": measured("compress", picture, file, *compress),
                "decompress": measured("decompress", file, decoded, *model),
                "bytes": file.stat().st_size,
            }
        results["pictures"].append(result)
        cells = "  ".join(
            f"{cost['gigabytes']:5.2f} GiB {cost['seconds']:4.0f} s"
            for cost in (result["compress"], result["decompress"])
        )
        print(f"{size:>13}  {width * height / 1e6:10.1f}  {cells}", flush=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
