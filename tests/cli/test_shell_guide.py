"""The commands of docs/shell.md, run as they stand, one block after another."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from yoto_tf.data import photograph, write_image

GUIDE = Path(__file__).parents[2] / "docs" / "shell.md"
BLOCKS = re.findall(r"\n\n((?:    .*\n)+)", GUIDE.read_text(encoding="utf-8"))


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_commands(tmp_path):
    image = photograph()
    drawing = np.zeros((40, 50, 4), "uint8")
    drawing[10:30, 10:30] = 255, 0, 0, 128
    for folder in ("photos", "more"):
        (tmp_path / folder).mkdir()
        write_image(tmp_path / folder / f"{folder}.png", image[:40, :50])
    write_image(tmp_path / "photo.jpg", image)
    write_image(tmp_path / "drawing.png", drawing)
    start = "import sys; from yoto_tf.cli import main; sys.exit(main())"
    program = f'yoto() {{ "{sys.executable}" -c "{start}" "$@"; }}\n'
    assert len(BLOCKS) == 6
    for block in BLOCKS:
        done = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", program + block],
            cwd=tmp_path,
            env={**os.environ, "HOME": str(tmp_path), "TF_CPP_MIN_LOG_LEVEL": "3"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, (block, done.stderr)
    made = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*")}
    assert made >= {
        "small/photo.yoto",
        "small/drawing.yoto",
        "small/photos/photos.yoto",
        "small/more.yoto",
        "painted/photo.jpg",
        "painted/drawing.png",
        "painted.png",
        "difference.png",
        "photo.webp",
    }
