"""Networks in child processes: spawned ones work, forked ones say why they cannot."""

import os
import subprocess
import sys

import pytest

SCRIPT = """
import multiprocessing
import signal
import sys

from yoto_tf import zoo
from yoto_tf.data import photograph
from yoto_tf.errors import YotoError

# What is no photograph may be stored without a network.
IMAGE = photograph()[200:264, 200:248]


def compress(folder, pipe):
    pipe.send(zoo.load(folder).compress(IMAGE, quality=0.5))


def attempt(function, pipe):
    signal.alarm(60)
    try:
        function()
    except YotoError as error:
        pipe.send(str(error))
    else:
        pipe.send("it worked")


def run(context, target, *arguments):
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=target, args=(*arguments, sender))
    process.start()
    sender.close()
    answer = receiver.recv()
    process.join()
    return answer


if __name__ == "__main__":
    folder = sys.argv[1]
    fork, spawn = map(multiprocessing.get_context, ("fork", "spawn"))
    # Nothing has run yet.
    early = run(fork, compress, folder)
    codec = zoo.load(folder)
    data = codec.compress(IMAGE, quality=0.5)
    assert early == data
    for function in (
        lambda: codec.compress(IMAGE, quality=0.5),
        lambda: codec.decompress(data),
        lambda: codec.reconstruct(IMAGE, quality=0.5),
        lambda: zoo.load(folder),
    ):
        assert "spawn" in run(fork, attempt, function)
    assert run(spawn, compress, folder) == data
    print("done")
"""


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_child_processes(backend, release_folder, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    environment = {**os.environ, "KERAS_BACKEND": backend, "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        [sys.executable, script, release_folder],
        env=environment,
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.stdout.strip() == "done", done.stderr
