"""What `pip install .` and `pip install -e .` put into an environment."""

import email
import json
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

import yoto_tf as yoto
from yoto_tf import zoo

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
    for name in (
        "CHANGELOG.md",
        "LICENSE",
        "MANIFEST.in",
        "README.md",
        "pyproject.toml",
        "setup.py",
    ):
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


def test_the_source_distribution_holds_what_the_wheel_does(sources, wheel, tmp_path):
    code = f"from setuptools import build_meta as b; b.build_sdist({str(tmp_path)!r})"
    subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, cwd=sources
    )
    [path] = tmp_path.iterdir()
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    with zipfile.ZipFile(wheel) as archive:
        inside = [n for n in archive.namelist() if n.startswith("yoto_tf/")]
    assert inside
    for name in inside:
        place = re.sub("^yoto_tf/(zoo|export)/", r"\1/", name)
        assert place in names, name


def test_the_page_of_the_package_has_no_relative_links(wheel):
    with zipfile.ZipFile(wheel) as archive:
        [name] = [n for n in archive.namelist() if n.endswith("/METADATA")]
        metadata = email.message_from_bytes(archive.read(name))
    assert metadata["Description-Content-Type"] == "text/markdown"
    links = re.findall(r"\]\(([^)]+)\)", metadata.get_payload())
    assert len(links) > 20
    assert [link for link in links if not link.startswith("https://")] == []
    pictures = re.findall(r"!\[[^]]*\]\(([^)]+)\)", metadata.get_payload())
    assert all("/raw/main/" in picture for picture in pictures)


def test_the_command_lists_the_models_of_the_wheel(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    code = (
        f"import sys; sys.path[:0] = [{str(tmp_path)!r}]; "
        f"sys.path.append({sysconfig.get_path('purelib')!r}); "
        "from yoto_tf import cli; print(cli.__file__); sys.exit(cli.main(['list']))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], capture_output=True, text=True, cwd="/"
    )
    assert done.returncode == 0, done.stderr
    for name in zoo.names():
        assert f"{name}  (" in done.stdout
    assert str(tmp_path) in done.stdout


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
