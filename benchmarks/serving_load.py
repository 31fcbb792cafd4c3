"""Requests a second and their 99th percentile, of a served codec under load.

    python benchmarks/serving_load.py --model codec

exports the codec for pictures of one size and asks it, for some seconds each, from 1, 4
and 16 clients at once, with 1 and with 8 pictures a request, each with coefficients of
its own:

- the stand-in for tensorflow_model_server, over gRPC on the loopback;
- the SavedModel in a process that has TensorFlow's C library and no Python of it.

The stand-in joins no requests: those of several pictures are what a client, or a server
that joins, makes of them. It prints a table and writes `results/serving_load.json`.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results" / "serving_load.json"
# The stand-in, and the C library's caller.
sys.path.append(str(ROOT / "tests" / "export"))
NAME = "under_load"
# However fast the model is.
MOST_REQUESTS = 20_000


def load(ask, clients, seconds):
    """Lets clients ask at once, each again as soon as it has an answer.

    Args:
        ask: function of a number, one request.
        clients: how many threads.
        seconds: how long; requests that have begun are waited for.

    Returns:
        {"requests", "requests_a_second", "percentile_99_ms"}.
    """
    times, lock, end = [], threading.Lock(), time.perf_counter() + seconds

    def work(client):
        number = client
        while time.perf_counter() < end and len(times) < MOST_REQUESTS:
            start = time.perf_counter()
            ask(number)
            with lock:
                times.append(time.perf_counter() - start)
            number += clients

    start = time.perf_counter()
    threads = [threading.Thread(target=work, args=(i,)) for i in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - start
    if not times:
        raise SystemExit("no request was answered")
    return {
        "requests": len(times),
        "requests_a_second": len(times) / took,
        "percentile_99_ms": 1e3 * float(np.percentile(times, 99)),
    }


def requests_of(ranges, side, batch):
    """A function of a number to the inputs of a request, different ones each."""
    random = np.random.default_rng(0)
    images = random.random((32, side, side, 3), "float32")
    low, high = np.array(list(ranges.values()), "float32").T

    def inputs(number):
        places = (np.arange(batch) + number) % len(images)
        shares = ((np.arange(batch) + number) % 7 / 6)[:, None].astype("float32")
        vectors = low * (high / low) ** shares
        return {"image": images[places], "coefficients": vectors}

    return inputs


def measured(ask, ranges, arguments):
    """{pictures a request: {clients: what `load` returns}}, after one request each."""
    found = {}
    for batch in arguments.batches:
        inputs = requests_of(ranges, arguments.side, batch)
        ask(inputs(0))
        found[batch] = {}
        for clients in arguments.clients:
            result = load(lambda n: ask(inputs(n)), clients, arguments.seconds)  # noqa: B023
            found[batch][clients] = result
    return found


def on_the_c_library(version, ranges, arguments):
    """Asks the SavedModel in this process, which must not have imported TensorFlow."""
    from c_api import CApiModel

    model = CApiModel(version, arguments.threads)
    return measured(lambda i: model.run(arguments.signature, i), ranges, arguments)


def on_the_stand_in(folder, ranges, arguments):
    """Starts the stand-in and asks it through the project's client."""
    from model_server import STAND_IN, start, stop

    from yoto_tf.export.serving import Client

    with tempfile.TemporaryDirectory() as temporary:
        server = start(STAND_IN, folder, Path(temporary), NAME)
        try:
            with Client(server.grpc, NAME) as client:
                return measured(
                    lambda inputs: client.predict(inputs, arguments.signature),
                    ranges,
                    arguments,
                )
        finally:
            stop(server.process)


def show(name, found):
    """Prints the rows of one way to ask."""
    for batch, by_clients in found.items():
        for clients, row in by_clients.items():
            print(
                f"{name}: {batch} pictures a request, {clients} clients: "
                f"{row['requests_a_second']:.1f} requests/s, 99th percentile "
                f"{row['percentile_99_ms']:.0f} ms"
            )


def run(arguments):
    """Exports, and asks in both ways; a dict for the JSON."""
    from yoto_tf import zoo
    from yoto_tf.export import export

    model = zoo.load(arguments.model)
    ranges = model.coefficients.ranges()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        sizes = {"height": arguments.side, "width": arguments.side}
        version = export(model, folder, "serving", name=NAME, **sizes)
        results = {"the stand-in": on_the_stand_in(folder, ranges, arguments)}
        options = [
            "--asked-here",
            json.dumps([str(version), ranges]),
            *("--side", str(arguments.side), "--signature", arguments.signature),
            *("--seconds", str(arguments.seconds)),
            *("--threads", str(arguments.threads)),
            *("--batches", *map(str, arguments.batches)),
            *("--clients", *map(str, arguments.clients)),
        ]
        done = subprocess.run(
            [sys.executable, __file__, *options],
            check=True,
            capture_output=True,
            text=True,
        )
        results["the C library"] = json.loads(done.stdout.splitlines()[-1])
    for name, found in results.items():
        show(name, found)
    described = {"model": arguments.model, "signature": arguments.signature, **sizes}
    return {**described, "seconds": arguments.seconds, "results": results}


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", default="codec")
    parser.add_argument("--signature", default="analyze")
    parser.add_argument("--side", type=int, default=256, help="of the pictures, pixels")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--seconds", type=float, default=10, help="of each of them")
    parser.add_argument("--threads", type=int, default=1, help="of the C library")
    parser.add_argument("--results", type=Path, default=RESULTS)
    # What this script starts itself as: the SavedModel and its ranges.
    parser.add_argument("--asked-here", type=json.loads, help=argparse.SUPPRESS)
    arguments = parser.parse_args(arguments)
    if arguments.asked_here:
        print(json.dumps(on_the_c_library(*arguments.asked_here, arguments)))
        return
    results = run(arguments)
    arguments.results.write_text(f"{json.dumps(results, indent=1)}\n")


if __name__ == "__main__":
    main()
