"""TensorFlow is imported in other processes: in this one it has been."""

import os
import subprocess
import sys

import pytest

LOAD = "from yoto_tf import zoo; zoo.load('codec-small')"
# As loud as TensorFlow 2.18, which logs below any level.
LOUD = "import os; os.write(2, b'asked for\\n')\n"


def said(code, level=None, path=None):
    """What a Python program writes to standard error."""
    environment = {**os.environ}
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)
    if level is not None:
        environment["TF_CPP_MIN_LOG_LEVEL"] = level
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment
    )
    return done.returncode, done.stderr


def test_a_model_is_loaded_in_silence():
    assert said(LOAD) == (0, "")


@pytest.fixture
def loud(tmp_path):
    (tmp_path / "tensorflow.py").write_text(LOUD)
    return tmp_path


@pytest.mark.parametrize(
    ("level", "heard"), [(None, ""), ("3", ""), ("0", "asked for\n")]
)
def test_tensorflow_is_heard_if_somebody_asked(level, heard, loud):
    code = (
        "import importlib.util, os, yoto_tf; importlib.util.find_spec('tensorflow');"
        "import tensorflow; os.write(2, os.environ['TF_CPP_MIN_LOG_LEVEL'].encode())"
    )
    assert said(code, level, loud) == (0, heard + (level or "3"))


def test_why_tensorflow_cannot_be_imported_is_heard(loud):
    (loud / "tensorflow.py").write_text(LOUD + "raise ImportError('no AVX')")
    status, heard = said("import yoto_tf, tensorflow", path=loud)
    assert status == 1
    assert "asked for" in heard
    assert "no AVX" in heard


def test_there_need_not_be_a_tensorflow():
    code = "import sys, yoto_tf; sys.path[:] = []; import tensorflow"
    status, heard = said(code)
    assert status == 1
    assert heard.endswith("ModuleNotFoundError: No module named 'tensorflow'\n")
