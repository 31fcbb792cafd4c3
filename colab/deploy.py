# %% [markdown]
# # Deploy a model with its dial
#
# A model of this library was trained for many compromises at once: between the size of
# a picture's file and its errors, say. Which one is wanted, it is told by an extra
# input, the vector of *coefficients*. (The notebooks `compress_your_photos` and
# `train_your_own` say how that comes about.) For a service that is a gift: **one**
# model on the server, and every client turns the dial in its own request. Without it
# there would be a model for each setting, each with its own memory.
#
# This notebook exports such a model, looks at what clients can ask for, asks, and shows
# how to serve it. It takes about a minute or two on a plain processor.

# %%
import json
import tempfile
from pathlib import Path

import numpy as np
import tensorflow as tf
from IPython.display import display
from PIL import Image

import yoto_tf as yoto
from yoto_tf.data import photograph
from yoto_tf.export.serving import Client, ServingError
from yoto_tf.imaging.contact_sheet import contact_sheet

tf.get_logger().setLevel("ERROR")

# %% tags=["parameters"]
MODEL = "codec"  # a pretrained name, a folder, or a handle such as https://…/1.tar.gz

# %% [markdown]
# ## Export
#
# One call writes a folder for TensorFlow Serving. The same in a shell is `yoto export
# codec serving --target serving`.

# %%
serving = Path(tempfile.mkdtemp())
version = yoto.export.export(MODEL, serving, target="serving")

for path in sorted(serving.rglob("*")):
    if path.is_file():
        print(f"{path.stat().st_size:12,} bytes  {path.relative_to(serving)}")

# %% [markdown]
# In the middle of it is a *SavedModel*, a program that TensorFlow runs without this
# library, without Keras and, on a server, without Python. A version is a number, and it
# never changes: the next one lies beside it.
#
# ## What can be asked
#
# A SavedModel answers to *signatures*: named functions from tensors to tensors. They
# are listed in `assets/yoto.json`, along with the coefficients and their ranges. Where
# a shape has a word, the client chooses the size.

# %%
manifest = json.loads((version / "assets" / "yoto.json").read_text(encoding="utf-8"))
print("coefficients:", manifest["coefficients"])
for name, signature in manifest["signatures"].items():
    print(f"\n{name}")
    for direction in ("inputs", "outputs"):
        for tensor, form in signature[direction].items():
            print(f"    {direction[:-1]:7}{tensor:16}{form['dtype']:9}{form['shape']}")

# %% [markdown]
# ## A request
#
# Here is what a server does with a request: it takes the signature by its name and
# calls it with tensors. Five pictures go in, which are all the same, and five settings
# of the dial. One row of `coefficients` belongs to each picture. They are the values
# themselves, never logarithms.

# %%
model = tf.saved_model.load(str(version))

picture = photograph()[128:320, 170:362].astype("float32") / 255
[(low, high)] = manifest["coefficients"].values()
dial = np.geomspace(low, high, 5).astype("float32")
answer = model.signatures["reconstruct"](
    image=tf.constant(np.stack([picture] * len(dial))),
    coefficients=tf.constant(dial[:, None]),
)

height, width = picture.shape[:2]
shown = np.uint8(255 * np.stack([picture, *answer["image"].numpy()]) + 0.5)
captions = ["sent"] + [
    f"λ = {value:.4f}, {bits / (height * width):.2f} bits per pixel"
    for value, bits in zip(dial, answer["bits"].numpy(), strict=True)
]
display(Image.fromarray(contact_sheet(shown, captions)))

# %% [markdown]
# ## From a picture to a file
#
# A compressed file is made in two steps: the network turns the picture into whole
# numbers, and a *range coder* turns these into bytes. A stock server runs the network,
# but has no range coder; so that is left to the client. `analyze` gives the numbers to
# encode, with the number of the probability table for each. `synthesize` makes a
# picture of them. On the way nothing is lost, so that the two together are
# `reconstruct`.

# %%
one = tf.constant(dial[2:3, None])
encoded = model.signatures["analyze"](
    image=tf.constant(picture[None]), coefficients=one
)
for name, tensor in encoded.items():
    print(f"{name:16}{tensor.dtype.name:8}{tuple(tensor.shape)}")

numbers = {
    name: encoded[name]
    for name in manifest["signatures"]["synthesize"]["inputs"]
    if name != "coefficients"
}
decoded = model.signatures["synthesize"](**numbers, coefficients=one)["image"]
# The sides were padded to multiples of 64.
decoded = decoded[:, :height, :width].numpy()
print("largest difference:", np.abs(decoded - answer["image"][2:3].numpy()).max())

# %% [markdown]
# ## Serve
#
# The folder holds what Docker needs. On a machine that has both:
#
#     cd serving && docker compose up
#
# A Colab machine has no Docker, nor does any Python package contain the server's
# program; so nothing is served in this notebook. This is the file that starts it:

# %%
print((serving / "docker-compose.yaml").read_text(encoding="utf-8"))

# %% [markdown]
# The server listens on its own machine only. It has no passwords: put a proxy before it
# rather than opening its ports.
#
# ## Ask a server
#
# The client does the range coding, so that its files are those of `yoto compress`, and
# each reads the other's. Run the next cell where a server runs. Without one it shows
# what an error looks like.

# %%
SERVER = "localhost:8500"

try:
    with Client(SERVER, model=MODEL, timeout=20) as client:
        pixels = photograph()
        data = client.compress(pixels, quality=0.5)
        print(f"{pixels.nbytes:,} bytes became {len(data):,}")
        print("and back:", client.decompress(data).shape)
except ServingError as error:
    print(error)

# %% [markdown]
# Programs in other languages send the same tensors by gRPC, or by REST as text:
#
#     curl -s http://localhost:8501/v1/models/codec:predict -d '{
#       "signature_name": "reconstruct",
#       "inputs": {"image": [[[[0.2, 0.4, 0.6], …]]], "coefficients": [0.02]}
#     }'
#
# ## What next
#
# Other ways out of Python, and other models:
#
# - `yoto export codec exported/codec`: the SavedModel alone.
# - `yoto export codec www --target hub`: an archive that any web server can host, for
#   `yoto_tf.zoo.load` and `tensorflow_hub.load`. The notebook `fine_tune` does that.
# - A model of your own, such as that of the notebook `train_your_own`:
#
#       yoto.export.export(
#           network, "serving", target="serving", coefficients=coefficients
#       )
