"""Starts the stand-in for tensorflow_model_server, or the real one."""

import os
import socket
import subprocess
import sys
import time
import types
import urllib.request
from pathlib import Path

from yoto_tf.export.serving.configuration import MOUNT

STAND_IN = (sys.executable, Path(__file__).with_name("serving_stand_in.py"))


def start(program, folder, temporary, name):
    """Starts a server with the flags that docker-compose.yaml gives it.

    Args:
        program: the command.
        folder: the serving folder.
        temporary: an empty folder.
        name: of one of the models, which is waited for.

    Returns:
        Its `process`, and its addresses `grpc` and `rest`.
    """
    config = temporary / "models.config"
    text = (folder / "models.config").read_text()
    config.write_text(text.replace(MOUNT, str(folder)))
    ports = [free_port(), free_port()]
    process = subprocess.Popen(
        [
            *program,
            f"--port={ports[0]}",
            f"--rest_api_port={ports[1]}",
            f"--model_config_file={config}",
            "--allow_version_labels_for_unavailable_models=true",
        ],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    grpc, rest = (f"127.0.0.1:{port}" for port in ports)
    status = f"http://{rest}/v1/models/{name}"
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(status, timeout=5) as answer:
                if "AVAILABLE" in answer.read().decode():
                    return types.SimpleNamespace(process=process, grpc=grpc, rest=rest)
        except OSError:
            time.sleep(0.2)
    stop(process)
    raise RuntimeError(f"{program} did not start")


def stop(process):
    process.stdin.close()
    process.terminate()
    process.wait(20)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
