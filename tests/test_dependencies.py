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
        ("yoto_tf/training/engine.py", "import yoto_tf.zoo"),
        ("yoto_tf/training/engine.py", "from yoto_tf import errors, zoo"),
        ("yoto_tf/training/engine.py", "from yoto_tf.export.hub import package"),
        ("yoto_tf/training/engine.py", "from .. import export"),
        ("yoto_tf/layers/film.py", "from ..zoo import codec"),
        ("yoto_tf/layers/film.py", "def f():\n    import yoto_tf.zoo.codec"),
        ("yoto_tf/layers/film.py", "import tensorflow as tf"),
        ("yoto_tf/layers/film.py", "from yoto_tf.conditioning import condition"),
        ("yoto_tf/layers/film.py", "from yoto_tf.data import read_image"),
        ("yoto_tf/coefficients.py", "from yoto_tf import layers"),
        ("yoto_tf/training/recipe.py", "from yoto_tf.tradeoff import sweep"),
        ("yoto_tf/demo/web/page.py", "from yoto_tf.cli import main"),
        ("zoo/release.py", "from yoto_tf.export import export"),
        ("export/hub.py", "import yoto_tf.demo"),
        ("yoto_tf/bag.py", "import numpy"),
        ("yoto_tf/cli/train.py", "class A:\n    from tensorflow.python import x"),
        (
            "zoo/codec/codec.py",
            "try:\n    import tensorflow_compression_ops\nfinally: 0",
        ),
        ("zoo/codec/codec.py", "from importlib import import_module; import_module(x)"),
        ("export/hub.py", "import pkgutil\nf = pkgutil.resolve_name"),
        ("zoo/codec/__init__.py", "import importlib\nf = importlib.import_module"),
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
        ("yoto_tf/training/engine.py", "from yoto_tf.zoology import x"),
        ("yoto_tf/training/engine.py", "from .. import layers"),
        ("export/hub.py", "import tensorflow as tf, yoto_tf.zoo"),
        ("yoto_tf/resolver.py", "import pkgutil\nf = pkgutil.resolve_name"),
        ("yoto_tf/demo/page.py", "import yoto_tf.export, yoto_tf.zoo.codec"),
        ("yoto_tf/layers/film.py", "from yoto_tf.layers.gdn import GDN"),
    ],
)
def test_an_allowed_import_is_not(path, source, violations, tmp_path):
    path = tmp_path / path
    path.parent.mkdir(parents=True)
    path.write_text(source)
    assert violations(tmp_path) == []


@pytest.fixture
def two_families(tmp_path):
    """A repository with a table of two families, and a function to write a module."""

    def write(path, source):
        path = tmp_path / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
        return tmp_path

    table = [
        f"Family(name={name!r}, package='yoto_tf.zoo.{name}', "
        f"model='yoto_tf.zoo.{name}.model:Model')"
        for name in ("line", "curve")
    ]
    write("zoo/families.py", "\n".join(table))
    for name in ("line", "curve"):
        write(f"zoo/{name}/__init__.py", "")
        write(f"zoo/{name}/model.py", "class Model: ...")
    return write


def test_every_name_in_the_table_is_there(two_families, violations):
    root = two_families("zoo/line/other.py", "from yoto_tf.zoo.line import model")
    assert violations(root) == []
    two_families("zoo/curve/model.py", "from yoto_tf.zoo import Model")
    (root / "zoo/line/__init__.py").unlink()
    assert violations(root) == [
        "zoo/families.py:1: names yoto_tf.zoo.line, which is not there",
        "zoo/families.py:2: names yoto_tf.zoo.curve.model:Model, which is not there",
    ]


@pytest.mark.parametrize(
    "source",
    ["from yoto_tf.zoo import curve", "def f():\n    from ..curve import model"],
)
def test_no_family_imports_another(source, two_families, violations):
    [line] = violations(two_families("zoo/line/other.py", source))
    assert line.startswith("zoo/line/other.py:")
    assert line.endswith("which is of another family")
