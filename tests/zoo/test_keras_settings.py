"""Released networks are the same whatever a user's keras.json says."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

PROGRAM = """
import sys
import keras
import numpy as np
from yoto_tf import zoo
from yoto_tf.zoo.stylization import stylizer as module
before = keras.config.floatx(), keras.config.image_data_format()
assert before == (sys.argv[2], sys.argv[3]), before
picture = np.random.default_rng(0).integers(0, 256, (48, 64, 3), "uint8")
codec, vae = zoo.load("codec-small"), zoo.load("vae-mnist")
stylizer = zoo.load("stylization")
data = codec.compress(picture, quality=0.5)
results = {
    "data": np.frombuffer(data, "uint8"),
    "decoded": codec.decompress(data),
    "sampled": vae.sample(3, 0, kl=4.0),
    "stylized": stylizer.stylize(picture, "udnie"),
}
module.PIXELS_AT_ONCE = 1000
results["striped"] = stylizer.stylize(picture, "udnie")
after = keras.config.floatx(), keras.config.image_data_format()
assert (*before, before[0]) == (*after, keras.config.dtype_policy().name)
np.savez(sys.argv[1], **results)
"""


def results(folder, floatx, image_data_format):
    folder.mkdir()
    settings = {"floatx": floatx, "image_data_format": image_data_format}
    settings |= {"backend": "tensorflow", "epsilon": 1e-7}
    (folder / "keras.json").write_text(json.dumps(settings))
    path = folder / "results.npz"
    subprocess.run(
        [sys.executable, "-c", PROGRAM, path, floatx, image_data_format],
        env={**os.environ, "KERAS_HOME": str(folder)},
        check=True,
    )
    return np.load(path)


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    return results(tmp_path_factory.mktemp("usual") / "k", "float32", "channels_last")


@pytest.mark.parametrize(
    ("floatx", "image_data_format"),
    [("float16", "channels_first"), ("float64", "channels_last")],
)
def test_settings_of_the_user(usual, tmp_path, floatx, image_data_format):
    found = results(tmp_path / "k", floatx, image_data_format)
    for name in usual:
        np.testing.assert_array_equal(found[name], usual[name], err_msg=name)
