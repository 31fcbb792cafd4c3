"""Strangers' files are read by a process of its own, which can be killed.

    python -m yoto_tf.demo.web.reader      reads requests from its standard input

A request is a line of JSON, an answer a line of JSON and the pixels.
"""

import atexit
import json
import subprocess
import sys
import threading

import numpy as np

from yoto_tf.demo.web.pictures import PIXELS, read_upload
from yoto_tf.errors import DataError, YotoError

SECONDS = 30


class Reader:
    """Reads one picture at a time; threads wait for one another.

    Args:
        seconds: after which a picture is given up, with the process that reads it.
    """

    def __init__(self, seconds=SECONDS):
        self._seconds = seconds
        self._process = None
        self._lock = threading.Lock()

    def read(self, path, pixels=PIXELS):
        """As `read_upload`.

        Raises:
            DataError: as there; or the picture took too long, or too much memory.
        """
        with self._lock:
            process = self._running()
            # Started only now: how long the process took to start depends on the
            # machine.
            timer = threading.Timer(self._seconds, process.kill)
            timer.start()
            try:
                return _asked(process, path, pixels)
            except (OSError, ValueError) as error:
                self._end()
                raise DataError(
                    "this picture cannot be read in time: take another one"
                ) from error
            finally:
                timer.cancel()

    def close(self):
        """Ends the process, if there is one."""
        with self._lock:
            self._end()

    def _running(self):
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            # It writes a line when it is ready.
            self._process.stdout.readline()
        return self._process

    def _end(self):
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


def _asked(process, path, pixels):
    request = {"path": str(path), "pixels": pixels}
    process.stdin.write(json.dumps(request).encode() + b"\n")
    process.stdin.flush()
    answer = json.loads(process.stdout.readline())
    if "error" in answer:
        raise DataError(answer["error"])
    size = int(np.prod(answer["shape"]))
    content = process.stdout.read(size)
    if len(content) != size:
        raise ValueError("the answer ends early")
    image = np.frombuffer(content, "uint8").reshape(answer["shape"])
    return image, answer["note"]


def _serve(requests, answers):
    answers.write(b"\n")
    answers.flush()
    for line in requests:
        try:
            image, note = read_upload(**json.loads(line))
        except YotoError as error:
            answers.write(json.dumps({"error": str(error)}).encode() + b"\n")
        else:
            head = {"shape": image.shape, "note": note}
            answers.write(json.dumps(head).encode() + b"\n")
            answers.write(np.ascontiguousarray(image))
        answers.flush()


READER = Reader()
atexit.register(READER.close)

if __name__ == "__main__":
    _serve(sys.stdin.buffer, sys.stdout.buffer)
