"""A file decodes to what was written, whoever wrote it and whoever reads it."""

import os
import subprocess
import sys
from pathlib import Path

import codec_elsewhere
import numpy as np
import pytest

from yoto_tf.imaging.metrics import psnr
from yoto_tf.zoo.codec import Codec

# This process has TensorFlow, oneDNN and as many threads as there are cores.
ELSEWHERE = {
    "one thread, no oneDNN": {
        "TF_NUM_INTRAOP_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "TF_ENABLE_ONEDNN_OPTS": "0",
    },
    "JAX": {"KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
}


@pytest.fixture(scope="module")
def image(photograph):
    return photograph[100:200, 150:300]


@pytest.fixture(scope="module", params=["untrained_codec", "context_codec"])
def codec(request):
    """Without a context, and with one whose passes read what others have decoded."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def results(codec, image, tmp_path_factory):
    """What was written, {file: integers}, and all that was read, by reader."""
    folder = tmp_path_factory.mktemp("files")
    codec.save(folder / "release")
    np.save(folder / "image.npy", image)
    program = Path(codec_elsewhere.__file__)
    processes = [
        subprocess.Popen(
            [sys.executable, program, name, "release", "image.npy", "."],
            cwd=folder,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name, environment in ELSEWHERE.items()
    ]
    codecs = {
        precision: Codec(codec.release, precision)
        for precision in codec_elsewhere.PRECISIONS
    }
    codec_elsewhere.write("here", codecs, image, folder)
    for process in processes:
        assert process.stdout.readline() == "written\n"
    written = {path.stem: arrays(path) for path in folder.glob("*mpiled.npz")}
    for process in processes:
        process.stdin.write("read\n")
        process.stdin.flush()
    read = {
        ("here", precision, way, file): (*integers, picture)
        for (file, precision, way), (integers, picture) in codec_elsewhere.read(
            codecs, folder
        ).items()
    }
    for name, process in zip(ELSEWHERE, processes, strict=True):
        assert process.wait() == 0
        for key, array in np.load(folder / f"read by {name}.npz").items():
            file, precision, way, _ = key.split("/")
            read.setdefault((name, precision, way, file), []).append(array)
    return written, read


def arrays(path):
    with np.load(path) as stored:
        return [stored[name] for name in stored.files]


def test_to_the_symbols_that_were_written(results):
    written, read = results
    # Two precisions and, on JAX compiled only, two ways; each reads all.
    assert len(written) == 4 + 4 + 2
    assert len(read) == 10 * 10
    for (*reader, file), (hyper_latents, symbols, _) in read.items():
        for actual, expected in zip(
            (hyper_latents, symbols), written[file], strict=True
        ):
            np.testing.assert_array_equal(actual, expected, f"{file} by {reader}")
    # Otherwise nothing would have been compared but zeros.
    assert all(np.ptp(array) > 4 for array in written["here, float32, compiled"])


def test_to_the_same_picture_but_for_rounding(results, image):
    _, read = results
    # Who writes may round a latent to the other side, of which one step shows as two
    # values of a pixel. What was written once is read alike.
    apart = 2
    expected = read["here", "float32", "compiled", "here, float32, compiled"][-1]
    for (_, precision, _, file), (*_, picture) in read.items():
        if "float32" in file and precision == "float32":
            here = read["here", "float32", "compiled", file][-1]
            assert np.abs(picture.astype(int) - here).max() <= 1
            assert np.abs(picture.astype(int) - expected).max() <= apart
        assert psnr(image, picture) == pytest.approx(psnr(image, expected), abs=0.1)
