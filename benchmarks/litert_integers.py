"""What LiteRT loses and gains when a model computes in integers, calibrated.

    python benchmarks/litert_integers.py --calibration PHOTOGRAPHS --data KODAK

Converts the codec's `synthesize` and the stylizer's `stylize` for crops of 256×256:
with weights of 16 bits; and with weights and activations of 8 bits, whose ranges are
taken from requests of `--requests` crops of the calibration photographs, with settings
drawn as in training. Then answers requests of crops of other pictures:

- the codec decodes the same symbols, so files of the same size. What is compared is the
  PSNR to the original, in dB, of Keras, of float16 and of integers;
- of the stylizer it is the PSNR of float16 and of integers to Keras' picture.

The mean is over pictures and settings. Prints it with the median milliseconds of a
request on all cores, and writes `results/litert_integers.json`. For the times nothing
else should be running.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from yoto_tf import zoo
from yoto_tf.data import image_files, read_image
from yoto_tf.imaging.metrics import psnr

RESULTS = Path(__file__).parent / "results" / "litert_integers.json"
ENDPOINTS = {"codec": "synthesize", "stylization": "stylize"}
SIDE = 256


def crops(spec, random):
    """uint8 [256, 256, 3] of pictures, for ever; smaller pictures are left out."""
    while True:
        for path in image_files(spec):
            image = read_image(path)
            if min(image.shape[:2]) >= SIDE:
                top, left = (random.integers(n - SIDE + 1) for n in image.shape[:2])
                yield image[top : top + SIDE, left : left + SIDE]


def requests(exportable, spec, count, seed):
    """Yields crops and requests of the endpoint, each a batch of one."""
    import tensorflow as tf

    random = np.random.default_rng(seed)
    dials = exportable.coefficients.independent.values()
    pictures = crops(spec, random)
    for _ in range(count):
        picture = next(pictures)
        values = [[dial.quantile(random.uniform()) for dial in dials]]
        known = {
            "image": tf.constant(picture[None] / np.float32(255)),
            "coefficients": tf.constant(values, "float32"),
        }
        if exportable.styles:
            style = random.integers(len(exportable.styles))
            known["style"] = tf.one_hot([style], len(exportable.styles))
        else:
            known |= exportable.endpoints["analyze"](known)
        name = ENDPOINTS[exportable.family]
        wanted = exportable.endpoints[name].inputs
        yield picture, {key: known[key] for key in wanted}


def converted(exportable, calibration):
    """{precision: content of a file}."""
    import tensorflow as tf

    from yoto_tf.export.saved_model import save_functions
    from yoto_tf.export.sizes import with_sizes
    from yoto_tf.machine.muted_stderr import muted_stderr

    name, contents = ENDPOINTS[exportable.family], {}
    with tempfile.TemporaryDirectory() as folder:
        save_functions(with_sizes(exportable, 1, SIDE, SIDE), folder)
        for precision in ("float16", "integers"):
            converter = tf.lite.TFLiteConverter.from_saved_model(
                folder, signature_keys=[name]
            )
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            if precision == "float16":
                converter.target_spec.supported_types = [tf.float16]
            else:
                converter.representative_dataset = lambda: (
                    (name, request) for request in calibration
                )
                # What has no kernel for integers stays in float32.
                converter.target_spec.supported_ops = [
                    tf.lite.OpsSet.TFLITE_BUILTINS_INT8,
                    tf.lite.OpsSet.TFLITE_BUILTINS,
                ]
            with muted_stderr():
                contents[precision] = converter.convert()
    return contents


def measured(exportable, content, asked):
    """Mean PSNR in dB, to what it is compared with, and median seconds of a request."""
    from ai_edge_litert.interpreter import Interpreter

    answer = Interpreter(
        model_content=content, num_threads=os.cpu_count()
    ).get_signature_runner()
    found, seconds = [], []
    for reference, request in asked:
        arrays = {key: tensor.numpy() for key, tensor in request.items()}
        began = time.perf_counter()
        image = answer(**arrays)["image"]
        seconds.append(time.perf_counter() - began)
        found.append(psnr(reference, as_pixels(image)))
    return {
        "bytes": len(content),
        "psnr": float(np.mean(found)),
        "seconds": statistics.median(seconds[1:]),
    }


def as_pixels(image):
    return np.uint8(255 * np.clip(np.asarray(image)[0], 0, 1) + 0.5)


def compare(model, options):
    """{"Keras" (a codec's), "float16", "integers": as `measured` gives them}."""
    from yoto_tf.export.families import describe

    exportable = describe(model)
    calibration = requests(exportable, options.calibration, options.requests, seed=0)
    contents = converted(exportable, [request for _, request in calibration])
    asked = list(requests(exportable, options.data, options.crops, seed=1))
    endpoint = exportable.endpoints[ENDPOINTS[exportable.family]]
    by_keras = [as_pixels(endpoint(request)["image"]) for _, request in asked]
    found = {}
    if exportable.family == "codec":
        pairs = zip(asked, by_keras, strict=True)
        levels = [psnr(picture, image) for (picture, _), image in pairs]
        found["Keras"] = {"psnr": float(np.mean(levels))}
    else:
        pairs = zip(asked, by_keras, strict=True)
        asked = [(image, request) for (_, request), image in pairs]
    for precision, content in contents.items():
        found[precision] = measured(exportable, content, asked)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--calibration", required=True)
    parser.add_argument("--data", required=True, help="other pictures")
    parser.add_argument("--models", nargs="*", default=["codec-small", "stylization"])
    parser.add_argument("--requests", type=int, default=100, help="to calibrate with")
    parser.add_argument("--crops", type=int, default=24, help="to measure with")
    options = parser.parse_args()
    results = {"requests": options.requests, "crops": options.crops, "models": {}}
    for name in options.models:
        results["models"][name] = compare(zoo.load(name), options)
        for precision, row in results["models"][name].items():
            time_ = f"{1000 * row['seconds']:.0f} ms" if "seconds" in row else ""
            print(f"{name:14}{precision:10}{row['psnr']:6.2f} dB  {time_}", flush=True)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
