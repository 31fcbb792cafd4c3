import json
import subprocess
import sys
from pathlib import Path

import pytest

import yoto_tf as yoto


@pytest.fixture(scope="module")
def imported():
    """The modules that two steps bring in: the package, and, beyond Keras, training."""
    alone = """
import json, sys
import keras
print(json.dumps([sorted(sys.modules)]))
"""
    code = """
import json, sys
import yoto_tf as yoto
package = set(sys.modules)
import keras
yoto.Coefficients, yoto.LossConditionalModel, yoto.layers.FiLM
print(json.dumps([sorted(package), sorted(sys.modules)]))
"""
    [keras], [package, everything] = _modules(alone), _modules(code)
    return [package, everything - keras - package | {"yoto_tf"}]


def _modules(code):
    process = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return [set(modules) for modules in json.loads(process.stdout.splitlines()[-1])]


@pytest.mark.parametrize("first", ["yoto_tf, keras", "keras, yoto_tf"])
def test_a_saved_model_loads_whatever_was_imported_first(first, tmp_path):
    import keras

    x = keras.Input((3,), name="x")
    coefficients = yoto.Coefficients(out=yoto.Uniform(0, 1))
    network = keras.Model(x, keras.layers.Dense(1, name="out")(x))
    network = yoto.condition(network, coefficients, layers=["out"])
    network.save(tmp_path / "network.keras")
    code = f"""
import {first}
print(type(keras.models.load_model({str(tmp_path / "network.keras")!r})).__name__)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "ConditionalNetwork"


@pytest.mark.parametrize("name", yoto.__all__)
def test_everything_listed_is_there(name):
    assert getattr(yoto, name) is not None
    assert name in dir(yoto)


def test_what_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="No yoto_tf attribute Coefficient"):
        _ = yoto.Coefficient
    with pytest.raises(ImportError, match="cannot import name 'Coefficient'"):
        from yoto_tf import Coefficient  # noqa: F401


def test_importing_the_package_imports_nothing_else(imported):
    ours = {name for name in imported[0] if name.split(".")[0] == "yoto_tf"}
    assert ours == {"yoto_tf"}
    heavy = {"keras", "tensorflow", "jax", "numpy", "scipy", "matplotlib", "PIL"}
    assert not heavy & imported[0]


def test_training_needs_nothing_beyond_keras(imported):
    assert {name.split(".")[0] for name in imported[1]} == {"yoto_tf"}
    rooms = {name.split(".")[1] for name in imported[1] if "." in name}
    assert {"coefficients", "loss_conditional_model", "layers"} <= rooms
    assert not {"zoo", "export", "cli", "data", "entropy"} & rooms


def test_the_version_is_the_distribution_s():
    from importlib.metadata import version

    assert yoto.__version__ == version("yoto_tf")


def test_python_started_in_a_checkout_finds_the_zoo():
    code = """
import sys
sys.meta_path = [f for f in sys.meta_path if "editable" not in repr(f).lower()]
import yoto_tf.export, yoto_tf.zoo
print(yoto_tf.zoo.__file__)
"""
    checkout = Path(yoto.__file__).parents[1]
    process = subprocess.run(
        [sys.executable, "-c", code],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=True,
    )
    assert process.stdout.strip() == str(checkout / "zoo" / "__init__.py")
