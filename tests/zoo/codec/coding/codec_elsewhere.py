"""Files of one codec, written and read in every way that one process has.

python codec_elsewhere.py NAME RELEASE IMAGE.npy FOLDER

writes, says so, and once it is answered reads all files in the folder. Where Keras runs
on JAX, TensorFlow and the range coder of TensorFlow Compression are out of reach.
"""

import contextlib
import sys
from pathlib import Path

import keras
import numpy as np

SETTING = {"distortion": 0.02}
PRECISIONS = ("float32", "mixed_bfloat16")


@contextlib.contextmanager
def uncompiled():
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(False)


WAYS = {"compiled": contextlib.nullcontext}
if keras.backend.backend() == "tensorflow":
    WAYS["uncompiled"] = uncompiled


def write(name, codecs, image, folder):
    """NAME, PRECISION, WAY.yoto for each, with .npz of the integers that it holds."""
    for precision, codec in codecs.items():
        for way, entered in WAYS.items():
            path = folder / f"{name}, {precision}, {way}.yoto"
            with entered():
                integers = codec._encode(image, codec.vector(**SETTING))
                np.savez(path.with_suffix(".npz"), *integers)
                path.write_bytes(codec.compress(image, **SETTING))


def read(codecs, folder):
    """Reads every file in every way.

    Returns:
        {(file's name, precision, way): (its integers, the picture)}.
    """
    from yoto_tf.zoo.codec.coding.container import Container

    results = {}
    for precision, codec in codecs.items():
        for way, entered in WAYS.items():
            for path in sorted(folder.glob("*.yoto")):
                data = path.read_bytes()
                container = Container.from_bytes(data)
                vector = container.vector(codec.model_id, codec.coefficients)
                blocks = container.blocks(codec.model.multiple)
                with entered():
                    integers = codec.coding.read(container.sections, *blocks, vector)
                    picture = codec.decompress(data)
                results[path.stem, precision, way] = (integers, picture)
    return results


def main(name, release, image, folder):
    from yoto_tf import zoo

    codecs = {
        precision: zoo.load(release, precision=precision) for precision in PRECISIONS
    }
    write(name, codecs, np.load(image), Path(folder))
    print("written", flush=True)
    sys.stdin.readline()
    arrays = {}
    for (file, precision, way), (integers, picture) in read(
        codecs, Path(folder)
    ).items():
        for part, array in enumerate((*integers, picture)):
            arrays[f"{file}/{precision}/{way}/{part}"] = array
    np.savez(Path(folder) / f"read by {name}.npz", **arrays)


if __name__ == "__main__":
    if keras.backend.backend() == "jax":
        sys.modules["tensorflow"] = None
    main(*sys.argv[1:])
