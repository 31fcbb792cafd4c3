"""What each export of each pretrained model weighs, takes and loses.

    python benchmarks/export_table.py

For every model and target: megabytes of what a machine must have to answer (without
the Keras model that comes along), the median time of one request of a 512×512 picture
(a VAE's are of its own size) on this processor, and the largest difference of a pixel,
of [0, 1], to the Keras model in float32. A codec's request is `analyze` and
`synthesize`, without the range coding that both sides leave to their client. Prints a
Markdown table and writes `results/export_table.json`. Nothing else should be running.
"""

import argparse
import json
import os
import statistics
import tarfile
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

RESULTS = Path(__file__).parent / "results" / "export_table.json"
# A request is made of these, by the family of the model.
ENDPOINTS = {
    "codec": ("analyze", "synthesize"),
    "vae": ("reconstruct",),
    "stylization": ("stylize",),
}
TARGETS = ("saved-model", "hub", "serving", "tpu", "litert", "onnx")


def keras_answers(model, size):
    """[(endpoint, inputs, outputs)] of a request to the Keras model, and a function.

    The function answers the same with the model as it is compiled in this library.
    """
    import tensorflow as tf

    from yoto_tf.data import photograph
    from yoto_tf.export.families import describe

    exportable = describe(model)
    values = exportable.coefficients.at(0.5)
    image = photograph()[:size, :size][None] / np.float32(255)
    known = {"image": image, "coefficients": np.float32(values)[None]}
    if exportable.styles:
        known["style"] = np.eye(1, len(exportable.styles), dtype="float32")
    if exportable.family == "vae":
        height, width, channels = model.model.image_shape
        known["image"] = image[:, :height, :width, :channels]
    requests, functions = [], {}
    for name in ENDPOINTS[exportable.family]:
        endpoint = exportable.endpoints[name]
        inputs = {key: known[key] for key in endpoint.inputs}
        functions[name] = tf.function(endpoint.__call__, autograph=False)
        outputs = functions[name](tensors(inputs))
        outputs = {key: output.numpy() for key, output in outputs.items()}
        requests.append((name, inputs, outputs))
        known |= {key: array for key, array in outputs.items() if key != "image"}
    return requests, lambda name, inputs: functions[name](tensors(inputs))


def tensors(inputs):
    import tensorflow as tf

    return {key: tf.constant(array) for key, array in inputs.items()}


def exports(model, target, size, folder):
    """Exports a model; yields names, the bytes that answering takes, and functions."""
    from yoto_tf.export import export

    family, options = model.release.family, {}
    if target == "tpu" and family != "vae":
        options = {"height": size, "width": size}
    written = export(model, folder, target, **options)
    if target == "litert":
        for precision in ("float16", "int8"):
            files = lite(folder / precision, ENDPOINTS[family])
            yield f"litert, {precision}", *files
    elif target == "onnx":
        yield target, *onnx(folder, ENDPOINTS[family])
    elif target == "hub":
        with tarfile.open(written) as archive:
            archive.extractall(folder / "unpacked", filter="data")
        yield target, written.stat().st_size, saved_model(folder / "unpacked")[1]
    else:
        found = next(folder.rglob("saved_model.pb")).parent
        yield target, *saved_model(found)


def saved_model(folder):
    import tensorflow as tf

    loaded = tf.saved_model.load(str(folder))
    parts = [folder / "saved_model.pb", *folder.glob("variables/*")]
    content = sum(path.stat().st_size for path in parts)

    return content, lambda name, inputs: loaded.signatures[name](**tensors(inputs))


def lite(folder, names):
    from ai_edge_litert.interpreter import Interpreter

    paths = {name: folder / f"{name}.tflite" for name in names}
    threads = os.cpu_count()
    models = {
        name: Interpreter(str(path), num_threads=threads)
        for name, path in paths.items()
    }
    content = sum(path.stat().st_size for path in paths.values())
    return content, lambda name, inputs: models[name].get_signature_runner()(**inputs)


def onnx(folder, names):
    from onnxruntime import InferenceSession

    paths = {name: folder / f"{name}.onnx" for name in names}
    sessions = {name: InferenceSession(path) for name, path in paths.items()}

    def answer(name, inputs):
        outputs = [output.name for output in sessions[name].get_outputs()]
        arrays = sessions[name].run(outputs, inputs)
        # Outputs that would be called as an input is have another name.
        keys = (output.removesuffix("_out") for output in outputs)
        return dict(zip(keys, arrays, strict=True))

    return sum(path.stat().st_size for path in paths.values()), answer


def measured(requests, answer, rounds):
    """The median seconds of a request, and the largest difference of a pixel."""
    seconds, difference = [], 0.0
    for _ in range(1 + rounds):
        began = time.perf_counter()
        answers = [answer(name, inputs) for name, inputs, _ in requests]
        answers = [
            {key: np.asarray(output) for key, output in outputs.items()}
            for outputs in answers
        ]
        seconds.append(time.perf_counter() - began)
    for (_, _, expected), outputs in zip(requests, answers, strict=True):
        if "image" in expected:
            error = np.abs(outputs["image"] - expected["image"]).max()
            difference = max(difference, float(error))
    # The first one traces, compiles and allocates.
    return {"seconds": statistics.median(seconds[1:]), "difference": difference}


def answering(model, by_keras, options):
    """Yields name, bytes and function of Keras, then of each target in turn."""
    yield "Keras", None, by_keras
    for target in options.targets:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary, "export")
            yield from exports(model, target, options.size, folder)


def table_row(model, target, row):
    size = f"{row['bytes'] / 1e6:.1f}" if row["bytes"] else ""
    milliseconds = f"{1000 * row['seconds']:.0f}"
    difference = f"{row['difference']:.1e}"
    return f"| `{model}` | {target} | {size} | {milliseconds} | {difference} |"


def main():
    from yoto_tf import zoo

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--models", nargs="*", help="default: all pretrained ones")
    parser.add_argument("--targets", nargs="*", default=TARGETS)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    results = {"size": options.size, "rounds": options.rounds, "models": {}}
    print("| model | target | MB | ms a request | largest difference |")
    print("| --- | --- | --- | --- | --- |")
    for name in options.models or zoo.names():
        model = zoo.load(name)
        requests, by_keras = keras_answers(model, options.size)
        rows = results["models"][name] = {}
        for target, content, answer in answering(model, by_keras, options):
            rows[target] = {
                "bytes": content,
                **measured(requests, answer, options.rounds),
            }
            print(table_row(name, target, rows[target]), flush=True)
    options.results.parent.mkdir(parents=True, exist_ok=True)
    options.results.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
