"""What tests read of an exported page, without a browser."""

import html.parser
import json

import numpy as np

from yoto_tf.export.web import runtime

FILES = {name for package in runtime.PACKAGES for name in package.files}


def write_empty_files(folder, downloads):
    folder.mkdir()
    for name in FILES:
        (folder / name).touch()


def described(folder):
    """What the page is told."""

    class Parser(html.parser.HTMLParser):
        texts, inside = "", False

        def handle_starttag(self, tag, attributes):
            self.inside = dict(attributes).get("id") == "description"

        def handle_data(self, data):
            self.texts += data if self.inside else ""

        def handle_endtag(self, tag):
            self.inside = False

    parser = Parser()
    parser.feed((folder / "index.html").read_text("utf-8"))
    return json.loads(parser.texts)


def graph(folder):
    """A graph model as TensorFlow's function of the name of an output and inputs."""
    import tensorflow as tf
    from google.protobuf.json_format import ParseDict

    model = json.loads((folder / "model.json").read_text())
    [group] = model["weightsManifest"]
    content = (folder / "weights.bin").read_bytes()
    constants, begin = {}, 0
    for entry in group["weights"]:
        stored = np.dtype(entry.get("quantization", entry)["dtype"])
        count = int(np.prod(entry["shape"]))
        array = np.frombuffer(content, stored, count, begin)
        begin += array.nbytes
        array = array.astype(entry["dtype"]).reshape(entry["shape"])
        constants[entry["name"]] = array
    assert begin == len(content)
    definition = ParseDict(model["modelTopology"], tf.compat.v1.GraphDef())
    for node in definition.node:
        if node.op == "Const":
            tensor = tf.make_tensor_proto(constants.pop(node.name))
            node.attr["value"].tensor.CopyFrom(tensor)
    assert not constants
    names = {
        name: entry["name"] for name, entry in model["signature"]["inputs"].items()
    }
    outputs = {
        name: entry["name"] for name, entry in model["signature"]["outputs"].items()
    }

    def function(output, **inputs):
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            tf.import_graph_def(definition, name="")
            feed = {names[name]: value for name, value in inputs.items()}
            return session.run(outputs[output], feed)

    return function
