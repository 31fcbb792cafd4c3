"""Ten thousand mixed calls from threads: errors are of our kind, memory levels.

    python benchmarks/soak.py                       # 10,000 calls, at most 30 minutes
    python benchmarks/soak.py --calls 1000 --threads 2

Calls are drawn at random: pictures of many sizes compressed, decoded, stylised,
reconstructed and drawn; files written and read; releases fetched from a server on this
machine, which is also asked as a model server; and the same with input that is damaged
or makes no sense. Intact input must be answered. Whatever else comes may be answered or
refused by a `YotoError`, and by nothing else. The resident memory is noted after every
fortieth part of the calls: in the last third it must not rise by more than a twentieth
over the one before. Prints a table, writes `results/soak.json`, and ends with status 1
where one of these does not hold.
"""

import argparse
import collections
import concurrent.futures
import contextlib
import functools
import gc
import gzip
import http.server
import io
import json
import os
import random
import shutil
import sys
import tarfile
import tempfile
import threading
import time
import warnings
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

RESULTS = Path(__file__).parent / "results" / "soak.json"
SAMPLES = 40
# The share by which a third of the calls may take more memory than the third before.
GROWTH = 0.05


class Soak:
    """What is called, with what it needs.

    Each method is a call: it gets a `random.Random`, and returns or raises. Those whose
    names begin with "damaged" or "senseless" may raise a `YotoError`.
    """

    def __init__(self, folder, address):
        from yoto_tf import zoo
        from yoto_tf.data import photograph

        self.folder, self.address = folder, address
        self.photograph = photograph()
        self.codec = zoo.load("codec-small")
        self.stylizer = zoo.load("stylization")
        self.vae = zoo.load("vae-mnist")
        self.files = [self.codec.compress(self.photograph[:64, :96], quality=0.5)]
        self.files.append(self.codec.compress(self.photograph[:40, :33], lossless=True))

    def image(self, draw, most=128):
        """A part of the photograph, of a random size."""
        height, width = draw.randint(16, most), draw.randint(16, most)
        top, left = draw.randint(0, 400), draw.randint(0, 300)
        return self.photograph[top : top + height, left : left + width]

    def compress(self, draw):
        image = self.image(draw)
        data = self.codec.compress(image, quality=draw.random())
        assert self.codec.decompress(data).shape == image.shape

    def lossless(self, draw):
        image = self.image(draw, 64)
        data = self.codec.compress(image, lossless=True)
        assert np.array_equal(self.codec.decompress(data), image)

    def stylize(self, draw):
        image, style = self.image(draw), draw.choice(self.stylizer.styles)
        assert self.stylizer.stylize(image, style).shape == image.shape

    def reconstruct(self, draw):
        images = self.vae.sample(draw.randint(1, 5), draw.randrange(2**31), kl=4.0)
        assert self.vae.reconstruct(images, kl=1.0).shape == images.shape

    def files_of_a_folder(self, draw):
        """Three files, of which one is not a picture."""
        from yoto_tf.data import write_image
        from yoto_tf.zoo.codec.files import compress_files, decompress_files

        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            folder = Path(folder)
            (folder / "in").mkdir()
            for name in ("a.png", "b.jpg"):
                write_image(folder / "in" / name, self.image(draw, 48))
            (folder / "in" / "c.png").write_bytes(draw.randbytes(100))
            report = compress_files(folder / "in", folder / "out", lossless=True)
            assert (len(report.files), len(report.failed)) == (2, 1)
            assert len(decompress_files(folder / "out", folder / "again").files) == 2

    def fetch(self, draw):
        from yoto_tf import zoo
        from yoto_tf.zoo.cache import place_of

        handle = f"{self.address}/good/{draw.randrange(2**40)}.tar.gz"
        assert zoo.release_of(handle).family == "vae"
        shutil.rmtree(place_of(handle))

    def damaged_file(self, draw):
        data = self.codec.decompress(damaged(draw, draw.choice(self.files)), 2**16)
        assert data.dtype == np.uint8

    def damaged_picture(self, draw):
        from PIL import Image

        from yoto_tf.data import read_image

        buffer = io.BytesIO()
        form = draw.choice(["PNG", "JPEG", "GIF", "WEBP", "BMP"])
        Image.fromarray(self.image(draw, 40)).save(buffer, form)
        with tempfile.NamedTemporaryFile(dir=self.folder) as file:
            file.write(damaged(draw, buffer.getvalue()))
            file.flush()
            read_image(file.name)

    def damaged_archive(self, draw):
        from yoto_tf import zoo

        zoo.release_of(f"{self.address}/bad/{draw.randrange(2**40)}.tar.gz")

    def damaged_answer(self, draw):
        from yoto_tf.export.serving import Client

        rest = self.address.removeprefix("http://")
        with Client(None, rest=rest, model="codec-small", timeout=20) as client:
            client.reconstruct(self.image(draw, 20))

    def senseless_arguments(self, draw):
        image = self.image(draw, 20)
        draw.choice(
            [
                lambda: self.codec.compress(image.astype("float32")),
                lambda: self.codec.compress(image[..., :1]),
                lambda: self.codec.compress(image, quality=draw.uniform(-5, 5)),
                lambda: self.codec.compress(image, distortion=float("nan")),
                lambda: self.codec.compress(image, lambda_=1.0),
                lambda: self.codec.decompress(draw.randbytes(50)),
                lambda: self.stylizer.stylize(image, "no such style"),
                lambda: self.stylizer.stylize(image, {"udnie": float("nan")}),
                lambda: self.stylizer.stylize(image[:1], "udnie"),
                lambda: self.vae.sample(0, kl=1.0),
                lambda: self.vae.reconstruct(image, kl=1.0),
            ]
        )()


# How often each is drawn.
WEIGHTS = {
    "compress": 15,
    "lossless": 8,
    "stylize": 15,
    "reconstruct": 12,
    "files_of_a_folder": 3,
    "fetch": 2,
    "damaged_file": 15,
    "damaged_picture": 10,
    "damaged_archive": 3,
    "damaged_answer": 5,
    "senseless_arguments": 12,
}


def damaged(draw, content):
    """The data with a few bytes changed, or cut short."""
    content = bytearray(content)
    for _ in range(draw.randint(1, 5)):
        content[draw.randrange(len(content))] = draw.randrange(256)
    return bytes(content[: draw.choice([len(content), draw.randrange(len(content))])])


def archive():
    """A release as a server has it."""
    from yoto_tf import zoo

    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as files:
        files.addfile(tarfile.TarInfo("saved_model.pb"))
        files.add(zoo.names()["vae-mnist"], "release")
    return gzip.compress(buffer.getvalue(), 1)


@contextlib.contextmanager
def server(content):
    """The address of a server on this machine, of archives and of senseless answers."""
    answers = [b"", b"{", b"[]", b'{"outputs": [[[[NaN]]]]}', b'{"error": "\\u001b"}']

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            draw = random.Random(self.path)
            if ".sha256" in self.path:
                return self.send_error(404)
            body = content if "/good/" in self.path else draw.choice(answers)
            if "/bad/" in self.path:
                body = damaged(draw, content)
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *_):
            pass

    host = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    host.daemon_threads = True
    thread = threading.Thread(target=host.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{host.server_port}"
    finally:
        host.shutdown()
        host.server_close()
        thread.join()


def megabytes():
    """The resident memory of this process."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def attempt(soak, name, number):
    """Makes a call: (name, how it ended, whether that is allowed)."""
    from yoto_tf.errors import YotoError

    may_refuse = name.startswith(("damaged", "senseless"))
    try:
        getattr(soak, name)(random.Random(number))
    except YotoError as error:
        fits = may_refuse and len(str(error).splitlines()) == 1
        return name, type(error).__name__, fits
    except Exception as error:
        return name, f"{type(error).__name__}: {error}"[:200], False
    return name, "answered", True


def run(soak, calls, threads, seconds):
    """Makes the calls: outcomes {(name, outcome): count}, wrong ones, and memory."""
    names = random.Random(0).choices(*zip(*WEIGHTS.items(), strict=True), k=calls)
    outcomes, wrong, memory = collections.Counter(), [], []
    end = time.monotonic() + seconds
    part = max(1, calls // SAMPLES)
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        for start in range(0, calls, part):
            if time.monotonic() > end:
                break
            numbers = range(start, min(start + part, calls))
            call = functools.partial(attempt, soak)
            for number, (name, outcome, fits) in zip(
                numbers,
                pool.map(call, names[start : start + part], numbers),
                strict=True,
            ):
                outcomes[name, outcome] += 1
                if not fits:
                    wrong.append({"call": name, "number": number, "outcome": outcome})
            gc.collect()
            memory.append(round(megabytes(), 1))
            print(f"{numbers.stop:6d} calls, {memory[-1]:.0f} MB", flush=True)
    return outcomes, wrong, memory


def is_level(memory):
    """Whether the last third takes about as much memory as the one before."""
    third = max(1, len(memory) // 3)
    return np.mean(memory[-third:]) <= (1 + GROWTH) * np.mean(
        memory[-2 * third : -third] or memory
    )


def main():
    """Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--minutes", type=float, default=30.0, help="at most")
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder, server(archive()) as address:
        os.environ["TFHUB_CACHE_DIR"] = str(Path(folder, "cache"))
        began = time.monotonic()
        soak = Soak(folder, address)
        outcomes, wrong, memory = run(
            soak, options.calls, options.threads, 60 * options.minutes
        )
        seconds = time.monotonic() - began
    table = collections.defaultdict(dict)
    for (name, outcome), count in sorted(outcomes.items()):
        table[name][outcome] = count
    results = {
        "calls": sum(outcomes.values()),
        "threads": options.threads,
        "seconds": round(seconds),
        "outcomes": table,
        "wrong": wrong,
        "megabytes": memory,
        "level": bool(is_level(memory)),
    }
    options.results.write_text(json.dumps(results, indent=1) + "\n")
    for name, counts in table.items():
        print(f"{name:20s} {counts}")
    print(f"{len(wrong)} wrong; memory {memory[0]:.0f} … {memory[-1]:.0f} MB")
    return int(bool(wrong) or not results["level"])


if __name__ == "__main__":
    sys.exit(main())
