"""The README's picture of the web demo, `docs/web-demo.png`.

    python benchmarks/web_demo_picture.py

serves the page with the released codec and takes a screenshot of its first tab in a
headless Chromium, which must be on the PATH.
"""

import argparse
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from headless_chromium import OPTIONS

from yoto_tf import zoo
from yoto_tf.demo import web

PICTURE = Path(__file__).parent.parent / "docs" / "web-demo.png"
WIDTH, HEIGHT = 1200, 1230
# Milliseconds of the page's own clock in which pictures may arrive.
PATIENCE = 15000


def take(url, path):
    """Writes what a new browser shows at an address to a PNG file."""
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run(
            [
                shutil.which("chromium") or "chromium",
                *OPTIONS,
                "--hide-scrollbars",
                f"--window-size={WIDTH},{HEIGHT}",
                f"--virtual-time-budget={PATIENCE}",
                f"--user-data-dir={profile}",
                f"--screenshot={path}",
                url,
            ],
            check=True,
            stderr=subprocess.DEVNULL,
            timeout=120,
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=PICTURE)
    path = parser.parse_args().out.resolve()
    models = {name: zoo.load(name) for name in zoo.names()}
    with web.serve(models, port=0) as url:
        take(url, path)
    print(path)


if __name__ == "__main__":
    main()
