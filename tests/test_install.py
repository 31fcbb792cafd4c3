"""What `pip install .` and `pip install -e .` put into an environment."""

import json
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

import yoto_tf as yoto

_REPOSITORY = Path(__file__).parent.parent
# Isolated from the environment's own copy: without site, hence without its path files;
# the dependencies come after what is tested.
_PROBE = """
import importlib.util, json, site, sys
{install}
sys.path.append({dependencies!r})
import yoto_tf
names = ("yoto_tf", "yoto_tf.zoo", "yoto_tf.zoo.codec", "yoto_tf.export")
print(json.dumps({{name: importlib.util.find_spec(name).origin for name in names}}))
"""


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """A copy of what is packaged, for a build leaves files beside its sources.

    With one invented release: the repository may hold none yet.
    """
    pytest.importorskip("setuptools")
    pytest.importorskip("pip")
    root = tmp_path_factory.mktemp("sources")
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(_REPOSITORY / name, root)
    ignore = shutil.ignore_patterns("__pycache__")
    for name in ("yoto_tf", "zoo", "export"):
        shutil.copytree(_REPOSITORY / name, root / name, ignore=ignore)
    release = root / "zoo" / "codec" / "released" / "invented"
    release.mkdir(parents=True)
    (release / "weights.npz").write_bytes(b"weights")
    return root


@pytest.fixture(scope="module")
def wheel(sources, tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    options = "--no-deps --no-build-isolation --no-index --disable-pip-version-check"
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", *options.split(), "-w", folder, sources],
        check=True,
        capture_output=True,
    )
    [path] = folder.iterdir()
    return path


def found(install):
    """{module: file} in a fresh interpreter after the statement `install`."""
    dependencies = sysconfig.get_path("purelib")
    code = _PROBE.format(dependencies=dependencies, install=install)
    process = subprocess.run(
        [sys.executable, "-S", "-c", code],
        check=True,
        capture_output=True,
        text=True,
        cwd="/",
    )
    origins = json.loads(process.stdout.splitlines()[-1])
    return {name: Path(origin) for name, origin in origins.items()}


def test_the_wheel_holds_all_modules_and_released_weights(sources, wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    expected = {"yoto_tf/zoo/codec/released/invented/weights.npz"}
    for room, place in {
        "yoto_tf": "yoto_tf",
        "zoo": "yoto_tf/zoo",
        "export": "yoto_tf/export",
    }.items():
        files = [file for file in (sources / room).rglob("*") if file.is_file()]
        expected |= {f"{place}/{file.relative_to(sources / room)}" for file in files}
    assert expected - names == set()
    # And nothing that would lie loose in the environment.
    tops = {name.split("/")[0] for name in names}
    assert tops == {"yoto_tf", f"yoto_tf-{yoto.__version__}.dist-info"}


def test_the_wheel_installs_the_command(wheel):
    with zipfile.ZipFile(wheel) as archive:
        [name] = [n for n in archive.namelist() if n.endswith("entry_points.txt")]
        text = archive.read(name).decode()
    assert "yoto = yoto_tf.cli:main" in text.replace("yoto=", "yoto = ")
    from yoto_tf.cli import main

    assert callable(main)


def test_an_installed_wheel_imports(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    origins = found(f"sys.path.insert(0, {str(tmp_path)!r})")
    assert origins["yoto_tf"] == tmp_path / "yoto_tf" / "__init__.py"
    assert origins["yoto_tf.zoo"] == tmp_path / "yoto_tf" / "zoo" / "__init__.py"
    assert origins["yoto_tf.export"] == tmp_path / "yoto_tf" / "export" / "__init__.py"


def test_an_editable_install_imports_the_sources(sources, tmp_path):
    code = (
        f"from setuptools import build_meta as b; b.build_editable({str(tmp_path)!r})"
    )
    subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, cwd=sources
    )
    [editable] = tmp_path.iterdir()
    site = tmp_path / "site"
    with zipfile.ZipFile(editable) as archive:
        archive.extractall(site)
    origins = found(f"site.addsitedir({str(site)!r})")
    assert origins["yoto_tf"] == sources / "yoto_tf" / "__init__.py"
    assert origins["yoto_tf.zoo"] == sources / "zoo" / "__init__.py"
    assert origins["yoto_tf.zoo.codec"] == sources / "zoo" / "codec" / "__init__.py"
    assert origins["yoto_tf.export"] == sources / "export" / "__init__.py"
