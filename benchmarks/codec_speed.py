"""How fast the codec is, against CompressAI's on PyTorch and Pillow's WebP.

    python benchmarks/codec_speed.py                       # a photograph of the demo
    python benchmarks/codec_speed.py --data photos/kodak   # its first of 768×512

All encode and decode one picture of 768×512 from and to arrays of bytes and pixels, in
turns, so that they see the same machine, with as many threads. CompressAI is installed
into an environment of its own (`--environment`). Against it runs a network of ours with
the same filters, not trained either; the released network is beside it, and WebP at the
released network's PSNR. Then `yoto compress` is started anew and timed as a whole.
Prints tables of medians and writes `results/codec_speed.json`. Nothing else should be
running.
"""

import argparse
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

RESULTS = Path(__file__).parent / "results" / "codec_speed.json"
REQUIREMENTS = ["torch==2.13.0", "numpy", "scipy", "pillow", "einops", "tqdm"]
COMPRESSAI = "compressai==1.2.8"
FILTERS, HYPER_FILTERS = (128, 128, 128, 192), 128
SETTING = {"distortion": 0.02}
WIDTH, HEIGHT = 768, 512


class CompressAI:
    """CompressAI's part, `compressai_speed.py`, in an environment of its own."""

    def __init__(self, environment, picture, threads):
        python = environment / "bin" / "python"
        if not python.exists():
            venv.create(environment, with_pip=True)
        pip = [python, "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, *REQUIREMENTS], check=True)
        # Its requirements go far beyond its models.
        subprocess.run([*pip, "--no-deps", COMPRESSAI], check=True)
        script = Path(__file__).with_name("compressai_speed.py")
        self._process = subprocess.Popen(
            [python, script, picture, str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def model(self, name):
        """A function that runs the model once and returns its measures."""

        def run():
            print(name, file=self._process.stdin, flush=True)
            return json.loads(self._process.stdout.readline())

        return run


def ours(codec, image):
    """A function that runs a `Codec` once and returns its measures.

    Among them the networks alone; the rest is the integer network and the range coder.
    """
    vector = codec.vector(**SETTING)

    def run():
        began = time.perf_counter()
        data = codec.compress(image, **SETTING)
        middle = time.perf_counter()
        codec.decompress(data)
        end = time.perf_counter()
        integers = codec._encode(image, vector)
        encoded = time.perf_counter()
        codec._decode(integers, vector)
        decoded = time.perf_counter()
        return {
            "encode": middle - began,
            "decode": end - middle,
            "network encode": encoded - end,
            "network decode": decoded - encoded,
            "bytes": len(data),
        }

    return run


def webp(image, goal):
    """A function that runs Pillow's WebP at a PSNR of about `goal` dB."""
    import numpy as np
    from PIL import Image

    from yoto_tf.imaging.metrics import psnr

    picture = Image.fromarray(image)

    def encode(quality):
        buffer = io.BytesIO()
        picture.save(buffer, "WEBP", quality=quality)
        return buffer.getvalue()

    def decode(data):
        return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))

    def distance(quality):
        return abs(psnr(image, decode(encode(quality))) - goal)

    quality = min(range(0, 101, 2), key=distance)

    def run():
        began = time.perf_counter()
        data = encode(quality)
        middle = time.perf_counter()
        decode(data)
        end = time.perf_counter()
        return {"encode": middle - began, "decode": end - middle, "bytes": len(data)}

    return run


def untrained_release():
    """A network of CompressAI's filters, as it is before the first step of training."""
    import keras

    from yoto_tf import Coefficients, LogUniform
    from yoto_tf.zoo.codec import Codec, Hyperprior

    keras.utils.set_random_seed(0)
    coefficients = Coefficients(distortion=LogUniform(0.0018, 0.18))
    network = Hyperprior(coefficients, FILTERS, HYPER_FILTERS)
    network.build(None)
    return Codec.from_network(network).release


def picture_of(data):
    """A name, and uint8 [512, 768, 3]."""
    import numpy as np

    from yoto_tf.data import image_files, photograph, read_image

    if data is None:
        image = photograph()
        twice = np.concatenate([image, image[:, ::-1]], axis=1)
        return "demo", twice[:HEIGHT, :WIDTH]
    for path in image_files(data):
        image = read_image(path)
        if image.shape == (HEIGHT, WIDTH, 3):
            return path.name, image
    raise SystemExit(f"no picture of {WIDTH}×{HEIGHT} in {data}")


def start_up(picture, folder, rounds):
    """Seconds of whole processes, medians: Keras imported, a picture compressed."""
    program = "import sys; from yoto_tf.cli import main; sys.exit(main())"
    commands = {
        "python -c 'import keras'": ["-c", "import keras"],
        "yoto compress": ["-c", program, "compress", picture, f"{folder}/out.yoto"],
        "yoto info": ["-c", program, "info", f"{folder}/out.yoto"],
    }
    seconds = {name: [] for name in commands}
    for _ in range(rounds):
        for name, arguments in commands.items():
            began = time.perf_counter()
            subprocess.run(
                [sys.executable, *arguments], check=True, capture_output=True
            )
            seconds[name].append(time.perf_counter() - began)
    return {name: statistics.median(times) for name, times in seconds.items()}


def in_turns(contestants, rounds):
    """Medians of what each measures."""
    measures = {name: [] for name in contestants}
    for run in contestants.values():
        for _ in range(2):
            run()
    for _ in range(rounds):
        for name, run in contestants.items():
            measures[name].append(run())
    return {
        name: {key: statistics.median(m[key] for m in runs) for key in runs[0]}
        for name, runs in measures.items()
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", help="a folder or glob with a picture of 768×512")
    parser.add_argument("--model", default="codec")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--environment", type=Path, default=Path("runs/compressai"))
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    # Read when the libraries are loaded.
    os.environ["TF_NUM_INTRAOP_THREADS"] = str(options.threads)
    os.environ["OPENBLAS_NUM_THREADS"] = str(options.threads)
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

    import numpy as np

    from yoto_tf import zoo
    from yoto_tf.data import write_image
    from yoto_tf.imaging.metrics import psnr
    from yoto_tf.zoo.codec import Codec

    picture, image = picture_of(options.data)
    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/picture.npy", image)
        write_image(f"{folder}/picture.png", image)
        theirs = CompressAI(
            options.environment, f"{folder}/picture.npy", options.threads
        )
        releases = {
            "same filters": untrained_release(),
            options.model: zoo.release_of(options.model),
        }
        codecs = {
            f"{name}, {precision}": Codec(release, precision)
            for name, release in releases.items()
            for precision in ("float32", "mixed_bfloat16")
        }
        released = codecs[f"{options.model}, float32"]
        goal = psnr(image, released.reconstruct(image, **SETTING))
        rows = in_turns(
            {
                "bmshj2018-hyperprior": theirs.model("bmshj2018-hyperprior"),
                "mbt2018-mean": theirs.model("mbt2018-mean"),
                **{name: ours(codec, image) for name, codec in codecs.items()},
                "WebP": webp(image, goal),
            },
            options.rounds,
        )
        starts = start_up(f"{folder}/picture.png", folder, max(1, options.rounds // 3))

    reference = rows["bmshj2018-hyperprior"]
    print(f"{'':28}{'encode':>19}{'decode':>19}{'networks alone':>20}{'bytes':>9}")
    for name, row in rows.items():
        cells = "".join(
            f"{1000 * row[key]:8.1f} ms ×{reference[key] / row[key]:6.2f}"
            for key in ("encode", "decode")
        )
        networks = [row.get(f"network {key}") for key in ("encode", "decode")]
        alone = " + ".join(f"{1000 * part:.1f} ms" for part in networks if part)
        print(f"{name:28}{cells}{alone:>20}{row['bytes']:>9,.0f}")
    for name, seconds in starts.items():
        print(f"{name:28}{seconds:8.2f} s")
    options.results.parent.mkdir(parents=True, exist_ok=True)
    results = {
        "picture": picture,
        "width": WIDTH,
        "height": HEIGHT,
        "threads": options.threads,
        "setting": SETTING,
        "psnr": goal,
        "seconds": rows,
        "start_up_seconds": starts,
    }
    options.results.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
