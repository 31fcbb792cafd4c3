"""TensorFlow.js, fetched with npm and checked against what is pinned here.

The page runs it in a worker: its WebGL backend on a graphics processor, its WebAssembly
backend everywhere else. Its licence is Apache-2.0.
"""

import base64
import dataclasses
import hashlib
import shutil
import subprocess
import tarfile

from yoto_tf.errors import DataError, RecipeError

VERSION = "4.22.0"
SECONDS = 300


@dataclasses.dataclass(frozen=True)
class Package:
    """A package of npm.

    Attributes:
        name: with its scope.
        sha512: of its archive, in base64, as npm's own lock files have it.
        files: names in its folder `dist`.
    """

    name: str
    sha512: str
    files: tuple

    @property
    def archive(self):
        """What `npm pack` calls its file."""
        return f"{self.name.lstrip('@').replace('/', '-')}-{VERSION}.tgz"


PACKAGES = (
    Package(
        "@tensorflow/tfjs-core",
        "LEkOyzbknKFoWUwfkr59vSB68DMJ4cjwwHgicXN0DUi3a0Vh1Er3JQqCI1Hl86GGZQvY8ezVrtDIvqR1"
        "ZFW55A==",
        ("tf-core.es2017.min.js",),
    ),
    Package(
        "@tensorflow/tfjs-converter",
        "PT43MGlnzIo+YfbsjM79Lxk9lOq6uUwZuCc8rrp0hfpLjF6Jv8jS84u2jFb+WpUeuF4K33ZDNx8CjiYr"
        "GQ2trQ==",
        ("tf-converter.es2017.min.js",),
    ),
    Package(
        "@tensorflow/tfjs-backend-webgl",
        "H535XtZWnWgNwSzv538czjVlbJebDl5QTMOth4RXr2p/kJ1qSIXE0vZvEtO+5EC9b00SvhplECny2yDe"
        "wQb/Yg==",
        ("tf-backend-webgl.es2017.min.js",),
    ),
    Package(
        "@tensorflow/tfjs-backend-wasm",
        "/IYhReRIp4jg/wYW0OwbbJZG8ON87mbz0PgkiP3CdcACRSvUN0h8rvC0O3YcDtkTQtFWF/tcXq/KlVDy"
        "V49wmA==",
        (
            "tf-backend-wasm.es2017.min.js",
            # Without vector instructions, with them, and with threads too, which
            # browsers allow on hosts that send COOP and COEP headers.
            "tfjs-backend-wasm.wasm",
            "tfjs-backend-wasm-simd.wasm",
            "tfjs-backend-wasm-threaded-simd.wasm",
        ),
    ),
)


def fetch(folder, downloads):
    """Writes the files that the page loads into a new folder.

    Args:
        folder: `pathlib.Path` of the folder to make.
        downloads: that of an existing one, for the packages.

    Raises:
        RecipeError: npm is not installed.
        DataError: it fails, or brings something else than what is pinned.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise RecipeError(
            "target web fetches TensorFlow.js with npm, and there is no npm on the "
            "PATH: install Node.js"
        )
    specs = [f"{package.name}@{VERSION}" for package in PACKAGES]
    where = ["--pack-destination", str(downloads)]
    try:
        subprocess.run(
            [npm, "pack", "--ignore-scripts", *where, *specs],
            check=True,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise DataError(
            f"npm has not fetched TensorFlow.js {VERSION} in {SECONDS} seconds"
        ) from error
    except subprocess.CalledProcessError as error:
        raise DataError(
            f"npm cannot fetch TensorFlow.js {VERSION}: {_reason(error.stderr)}"
        ) from error
    folder.mkdir()
    for package in PACKAGES:
        _unpack(package, downloads / package.archive, folder)


def _reason(output):
    """The line of npm's output that says most."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("npm err")]
    return next(iter(errors or lines[-1:]), "it says nothing")


def _unpack(package, archive, folder):
    try:
        content = archive.read_bytes()
    except OSError as error:
        raise DataError(f"npm has not brought {archive.name}") from error
    found = base64.b64encode(hashlib.sha512(content).digest()).decode()
    if found != package.sha512:
        raise DataError(
            f"npm has brought another {archive.name} than expected: its SHA-512 is "
            f"{found}"
        )
    with tarfile.open(archive) as tar:
        for name in package.files:
            (folder / name).write_bytes(tar.extractfile(f"package/dist/{name}").read())
