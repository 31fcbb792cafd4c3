import importlib.util
from pathlib import Path

import pytest

_REPOSITORY = Path(__file__).parent.parent
_SCRIPT = _REPOSITORY / ".ci" / "check_dependencies.py"


@pytest.fixture(scope="module")
def violations():
    spec = importlib.util.spec_from_file_location("check_dependencies", _SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return lambda root: list(script.violations(root))


def test_dependencies_point_one_way(violations):
    assert violations(_REPOSITORY) == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("yoto_tf/engine.py", "import yoto_tf.zoo"),
        ("yoto_tf/engine.py", "from yoto_tf import errors, zoo"),
        ("yoto_tf/engine.py", "from yoto_tf.export.hub import package"),
        ("yoto_tf/engine.py", "from . import export"),
        ("yoto_tf/layers/film.py", "from ..zoo import codec"),
        ("yoto_tf/layers/film.py", "def f():\n    import yoto_tf.zoo.codec"),
        ("yoto_tf/layers/film.py", "import tensorflow as tf"),
        ("yoto_tf/cli/train.py", "class A:\n    from tensorflow.python import x"),
        (
            "zoo/codec/codec.py",
            "try:\n    import tensorflow_compression_ops\nfinally: 0",
        ),
    ],
)
def test_a_forbidden_import_is_found(path, source, violations, tmp_path):
    path = tmp_path / path
    path.parent.mkdir(parents=True)
    path.write_text(source)
    [line] = violations(tmp_path)
    assert line.startswith(f"{path.relative_to(tmp_path)}:")


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("yoto_tf/cli.py", "import yoto_tf.zoo"),
        ("yoto_tf/cli/demo.py", "from yoto_tf.zoo import demo"),
        ("zoo/codec/codec.py", "from yoto_tf.zoo.codec import container"),
        ("zoo/codec/codec.py", "def f():\n    import tensorflow as tf"),
        ("yoto_tf/engine.py", "from yoto_tf.zoology import x"),
        ("yoto_tf/engine.py", "from . import layers"),
        ("export/hub.py", "import tensorflow as tf, yoto_tf.zoo"),
    ],
)
def test_an_allowed_import_is_not(path, source, violations, tmp_path):
    path = tmp_path / path
    path.parent.mkdir(parents=True)
    path.write_text(source)
    assert violations(tmp_path) == []
