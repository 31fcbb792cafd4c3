"""Pictures a second of Ray workers over those of plain processes, and what 10⁸ cost.

    python benchmarks/bulk_speed.py --data PHOTOGRAPHS

compresses and decodes pictures of 2 megapixels, cut from the photographs, with 1 and 2
processes of `yoto … --threads 1`, each on its share, and with as many workers of
`--engine ray`. Each job is run with few and with many pictures: the rate is what the
further pictures take, so that neither has its start counted. Both ways take turns, and
the median of the rounds counts.

From the seconds a picture takes in a worker it computes how many hours of one processor
10⁸ such pictures take, and with how many machines they take a day. It writes
`results/bulk_speed.json`. Nothing else should run meanwhile.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

from yoto_tf.data import image_files
from yoto_tf.machine.atomic_files import write_atomically

RESULTS = Path(__file__).parent / "results" / "bulk_speed.json"
PICTURES = 10**8
CORES = 64
YOTO = (
    sys.executable,
    "-c",
    "import sys; from yoto_tf.cli import main; sys.exit(main())",
)
COMMANDS = ("compress", "decompress")


def cut(files, folder, count, width, height):
    """Writes `count` JPEG pictures of one size, cut from photographs in turn."""
    folder.mkdir(parents=True)
    for number in range(count):
        with Image.open(files[number % len(files)]) as image:
            scale = max(width / image.width, height / image.height)
            size = round(image.width * scale), round(image.height * scale)
            picture = image.convert("RGB").resize(size).crop((0, 0, width, height))
        # Each is another, whatever the number of photographs and the JPEG's losses.
        mark = tuple(16 * (number // 16**digit % 16) for digit in range(3))
        picture.paste(mark, (0, 0, 16, 16))
        picture.save(folder / f"{number:05}.jpg", quality=90)


def share(folder, into, parts):
    """Folders that share the files of one, by links."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    folders = [into / str(part) for part in range(parts)]
    for number, file in enumerate(files):
        place = folders[number % parts]
        place.mkdir(parents=True, exist_ok=True)
        (place / file.name).symlink_to(file)
    return folders


def seconds_of(commands):
    """How long commands take beside each other."""
    start = time.perf_counter()
    running = [
        subprocess.Popen(command, stdout=subprocess.DEVNULL) for command in commands
    ]
    failed = [process.args for process in running if process.wait()]
    if failed:
        raise SystemExit(f"failed: {failed}")
    return time.perf_counter() - start


def plain(command, folder, workers, model, temporary):
    """Seconds of so many processes of one thread, each with its share."""
    shares = share(folder, temporary / "shares", workers)
    options = ("--model", model, "--threads", "1", "--quiet")
    return seconds_of(
        [*YOTO, command, part, f"{temporary}/out/{part.name}", *options]
        for part in shares
    )


def engine(command, folder, workers, model, temporary):
    """Seconds of so many Ray workers of one thread."""
    options = ("--model", model, "--threads", "1", "--quiet")
    ray = ("--engine", "ray", "--workers", str(workers))
    return seconds_of([[*YOTO, command, folder, temporary / "out", *options, *ray]])


def measure(way, command, folders, workers, model):
    """Pictures a second, of the pictures that the larger folder has more."""
    seconds, counts = [], []
    for folder in folders:
        with tempfile.TemporaryDirectory() as temporary:
            seconds.append(way(command, folder, workers, model, Path(temporary)))
        counts.append(sum(path.is_file() for path in folder.iterdir()))
    return rate(*counts, *seconds)


def rate(few, many, seconds_of_few, seconds_of_many):
    """Pictures a second, without the start that both jobs have."""
    return (many - few) / max(seconds_of_many - seconds_of_few, 1e-9)


def on_paper(pictures_a_second):
    """Hours and machines for `PICTURES`, by the rate of one worker of one thread."""
    hours = PICTURES / pictures_a_second / 3600
    return {
        "processor_hours": hours,
        f"hours_of_a_machine_of_{CORES}": hours / CORES,
        f"machines_of_{CORES}_for_a_day": hours / CORES / 24,
    }


def run(arguments):
    """All measurements, as a dict for the JSON."""
    results = {
        "pictures": f"{arguments.width}×{arguments.height}",
        "counts": [arguments.few, arguments.many],
        "rounds": arguments.rounds,
        "model": arguments.model,
        "processors": os.cpu_count(),
        "commands": {},
    }
    with tempfile.TemporaryDirectory() as temporary:
        temporary = Path(temporary)
        folders = {command: [] for command in COMMANDS}
        for count in (arguments.few, arguments.many):
            pictures, files = temporary / f"jpg{count}", temporary / f"yoto{count}"
            size = arguments.width, arguments.height
            cut(image_files(arguments.data), pictures, count, *size)
            options = ("--model", arguments.model, "--quiet")
            seconds_of([[*YOTO, "compress", pictures, files, *options]])
            folders["compress"].append(pictures)
            folders["decompress"].append(files)
        for command in COMMANDS:
            results["commands"][command] = compared(
                command, folders[command], arguments
            )
    return results


def compared(command, folders, arguments):
    """{workers: rates of both ways, and their ratio}, and the hours on paper."""
    measured = {}
    for workers in arguments.workers:
        rates = {"plain": [], "ray": []}
        for _ in range(arguments.rounds):
            for name, way in (("plain", plain), ("ray", engine)):
                found = measure(way, command, folders, workers, arguments.model)
                rates[name].append(found)
        pairs = zip(rates["ray"], rates["plain"], strict=True)
        measured[workers] = {
            "plain_pictures_a_second": statistics.median(rates["plain"]),
            "ray_pictures_a_second": statistics.median(rates["ray"]),
            "ray_over_plain": statistics.median(ray / other for ray, other in pairs),
        }
        print(command, workers, "workers:", json.dumps(measured[workers]), flush=True)
    workers = max(measured)
    each = measured[workers]["ray_pictures_a_second"] / workers
    paper = on_paper(each)
    print(command, f"{PICTURES:,} pictures, on paper:", json.dumps(paper), flush=True)
    return {"workers": measured, "on_paper": paper}


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", required=True, help="photographs")
    parser.add_argument("--model", default="codec")
    parser.add_argument("--width", type=int, default=1632)
    parser.add_argument("--height", type=int, default=1224)
    parser.add_argument("--few", type=int, default=16, help="pictures of a short job")
    parser.add_argument("--many", type=int, default=96, help="pictures of a long job")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--results", type=Path, default=RESULTS)
    arguments = parser.parse_args(arguments)
    if not 0 < arguments.few < arguments.many:
        parser.error("expected 0 < --few < --many")
    results = run(arguments)
    write_atomically(arguments.results, f"{json.dumps(results, indent=1)}\n".encode())


if __name__ == "__main__":
    main()
