"""Keras is told of every class that the library registers."""

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import keras

import yoto_tf
from yoto_tf.registered import CLASSES


def test_the_list_is_complete():
    # Of its path only where it lies itself: in a checkout the other part is the root.
    folder = str(Path(yoto_tf.__file__).parent)
    for module in pkgutil.walk_packages([folder], "yoto_tf."):
        importlib.import_module(module.name)
    registered = {
        (value.__module__, name)
        for name, value in keras.saving.get_custom_objects().items()
        if name.startswith("yoto_tf>") and isinstance(value, type)
    }
    listed = {
        (module, f"yoto_tf>{name}")
        for module, names in CLASSES.items()
        for name in names
    }
    assert registered == listed


def test_a_class_is_imported_when_a_file_names_it():
    code = """
import sys
import yoto_tf, keras
config = {"class_name": "Fixed", "registered_name": "yoto_tf>Fixed", "module": "gone"}
fixed = keras.saving.deserialize_keras_object({**config, "config": {"value": 2.0}})
assert type(fixed) is yoto_tf.Fixed, type(fixed)
assert keras.saving.get_registered_object("yoto_tf>Fixed") is yoto_tf.Fixed
assert "yoto_tf.layers" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
