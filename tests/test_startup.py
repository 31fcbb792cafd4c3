import json
import subprocess
import sys

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
    done = subprocess.run(
        [sys.executable, "-c", COMMAND],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "yoto: no such file or folder: missing"
    assert json.loads(done.stdout) == [2, ["keras"]]
