"""Steps a second of one process and of two that train together.

    python benchmarks/many_processes.py PHOTOGRAPHS

trains a recipe by `yoto train` on the JAX backend, in one process and in two on the
loopback, with the same batches, and prints and writes `results/many_processes.json`.
Each process has one core. The first 200 steps, which include compilation,
are not counted. Nothing else should be running.
"""

import argparse
import functools
import json
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from yoto_tf.machine.atomic_files import write_atomically
from yoto_tf.training.reports import read_log

RESULTS = Path(__file__).parent / "results" / "many_processes.json"
SETTINGS = ("batch_size=8", "patch_size=64")


def steps_a_second(recipe, photographs, processes, steps, settings):
    """Trains in so many processes, and reads the pace from the log.

    Args:
        recipe: name or file of a recipe.
        photographs: a data SPEC.
        processes: how many, at least 1.
        steps: of which those up to the first record of the log are not counted.
        settings: of `--set`.
    """
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "yoto_tf.cli", "train", recipe]
        command += ["--data", photographs, "--workdir", folder]
        command += ["--steps", str(steps)]
        command += ["--set", *settings] if settings else []
        if processes > 1:
            with socket.create_server(("127.0.0.1", 0)) as server:
                port = server.getsockname()[1]
            command += ["--coordinator", f"127.0.0.1:{port}"]
            command += ["--processes", str(processes), "--process"]
        started = [
            subprocess.Popen(
                [*command, str(number)] if processes > 1 else command,
                env={**os.environ, "KERAS_BACKEND": "jax"},
                # JAX takes as many threads as there are cores for it.
                preexec_fn=functools.partial(os.sched_setaffinity, 0, {cores[number]}),
            )
            for number in range(processes)
        ]
        for process in started:
            if process.wait():
                raise SystemExit(f"a process ended with status {process.returncode}")
        first, *_, last = read_log(Path(folder) / "log.jsonl")
    return (last["step"] - first["step"]) / (last["seconds"] - first["seconds"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("photographs", help="folder, glob or shards")
    parser.add_argument("--recipe", default="codec/small")
    parser.add_argument("--steps", type=int, default=800)
    parser.add_argument("--set", nargs="*", default=SETTINGS, metavar="FIELD=VALUE")
    arguments = parser.parse_args()
    if arguments.steps <= 200:
        parser.error("expected more than 200 steps, which are not counted")

    results = {
        "cores": os.cpu_count(),
        "recipe": arguments.recipe,
        "settings": list(arguments.set),
    }
    for processes in (1, 2):
        pace = steps_a_second(
            arguments.recipe,
            arguments.photographs,
            processes,
            arguments.steps,
            arguments.set,
        )
        results[f"processes_{processes}"] = pace
        print(f"{processes} process(es): {pace:.2f} steps a second")
    write_atomically(RESULTS, (json.dumps(results, indent=1) + "\n").encode())
    print(f"wrote {RESULTS}")


if __name__ == "__main__":
    main()
