import json
import os
import subprocess
import sys

import pytest

from yoto_tf.cli.startup import _muted

# A command that loads Keras and then finds no input.
COMMAND = """
import json, sys
from yoto_tf.cli import main
status = main(["compress", "missing", "out"])
loaded = [name for name in ("keras", "matplotlib", "scipy.interpolate",
                            "scipy.ndimage", "tensorflow_hub", "tf_keras",
                            "tensorflow_datasets") if name in sys.modules]
import matplotlib.pyplot
print(json.dumps([status, loaded]))
"""


def test_only_keras_is_loaded_and_matplotlib_can_be():
    environment = {**os.environ}
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)
    done = subprocess.run(
        [sys.executable, "-c", COMMAND],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == "yoto: no such file or folder: missing\n"
    assert json.loads(done.stdout) == [2, ["keras"]]


@pytest.mark.parametrize(("level", "heard"), [("3", ""), ("0", "asked for")])
def test_tensorflow_is_heard_if_somebody_asked(level, heard, capfd, monkeypatch):
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", level)
    with _muted():
        os.write(2, b"asked for")
    assert capfd.readouterr().err == heard
