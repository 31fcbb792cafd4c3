import json
import os
import subprocess
import sys

import pytest

from yoto_tf.cli.startup import chosen_backend

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


# What is imported with Keras, and that it can be afterwards.
PICTURES = """
import gc, json, sys
from yoto_tf.cli.startup import import_keras
import_keras()
optional = [name for name in ("scipy", "pandas", "jax") if name in sys.modules]
import distutils, scipy.sparse
print(json.dumps([optional, "setuptools" in sys.modules, gc.isenabled()]))
"""


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="there is no distutils")
def test_what_tensorflow_offers_more_for_is_not_loaded():
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow"}
    done = subprocess.run(
        [sys.executable, "-c", PICTURES],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert json.loads(done.stdout) == [[], False, True], done.stderr


@pytest.mark.parametrize(
    ("variable", "content", "expected"),
    [
        ("jax", '{"backend": "tensorflow"}', False),
        ("tensorflow", '{"backend": "jax"}', True),
        (None, '{"backend": "jax"}', False),
        (None, '{"floatx": "float16"}', True),
        (None, "no json", True),
        (None, "[]", True),
        (None, None, True),
    ],
)
def test_jax_is_hidden_only_from_tensorflow(
    variable, content, expected, tmp_path, monkeypatch
):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    if variable:
        monkeypatch.setenv("KERAS_BACKEND", variable)
    if content is not None:
        (tmp_path / "keras.json").write_text(content)
    assert (chosen_backend() == "tensorflow") == expected
