"""Requests to a SavedModel, answered in a process without TensorFlow's Python."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

_PROGRAM = Path(__file__).with_name("c_api.py")


def answers(directory, requests, workdir):
    """Runs requests in a process of their own.

    Args:
        directory: of the SavedModel.
        requests: list of (signature, {name: array}).
        workdir: a folder for files.

    Returns:
        A list of {name: array}, one a request.

    Raises:
        RuntimeError: with what the process said, if it failed.
    """
    arrays = {
        f"{number}/{signature}/{name}": array
        for number, (signature, inputs) in enumerate(requests)
        for name, array in inputs.items()
    }
    np.savez(workdir / "requests.npz", **arrays)
    process = subprocess.run(
        [sys.executable, _PROGRAM, directory, "requests.npz", "answers.npz"],
        cwd=workdir,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
    )
    if process.returncode:
        raise RuntimeError(process.stderr)
    results = [{} for _ in requests]
    with np.load(workdir / "answers.npz") as stored:
        for path in stored.files:
            number, name = path.split("/")
            results[int(number)][name] = stored[path]
    return results
