# %% [markdown]
# # Make a pretrained model better at your pictures
#
# The pretrained codec of this library compresses pictures with a *dial*: it was trained
# once for all compromises between bytes and errors, and takes the one you want as an
# input. (The notebook `compress_your_photos` explains how.) What it knows, it learned
# from photographs. Are yours of another kind, drawings, charts, scans, pictures from a
# microscope? Then some minutes of further training on a few of them can save a good
# part of the bytes, and the dial stays.
#
# This notebook loads a model from the address where it is published, trains it on, and
# measures the gain on pictures that were kept out of the training. It takes three to
# five minutes on a plain processor.

# %%
import functools
import http.server
import random
import tempfile
import threading
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from IPython.display import display
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image, ImageFilter

import yoto_tf as yoto
from yoto_tf.data import own_pictures, read_image, write_image
from yoto_tf.imaging.contact_sheet import contact_sheet
from yoto_tf.zoo.codec.evaluation import evaluate

tf.get_logger().setLevel("ERROR")

# %% tags=["parameters"] short="STEPS = 2"
STEPS = 300  # more is better

# %% [markdown]
# ## Pictures
#
# On Colab the cell after the next asks for pictures, or for a zip file of them: a dozen
# or more of one kind, at least 128 pixels on each side. Or write here where they are: a
# zip file or a folder, on your Google Drive as well. Cancel the upload, or run this
# elsewhere, and it draws charts that look as if they had been scanned. They have what
# photographs lack, text and thin lines on a plain ground with the grain of paper. Every
# fifth picture of the first hundred is kept for the test.
#
# The training draws from pictures in their own size. Of a test picture the middle is
# taken where it is larger than 768 pixels, only so that this notebook stays quick.

# %%
PICTURES = ""  # such as "/content/drive/MyDrive/Charts"

# %%


def chart(rng):
    """A random chart as a scanner sees it, uint8 [300, 400, 3]."""
    figure = Figure(figsize=(4, 3), dpi=100, layout="constrained")
    axes = figure.subplots()
    colors = rng.uniform(size=(8, 3))
    values = rng.normal(size=(3, 8)).cumsum(axis=1)
    kind = rng.integers(3)
    if kind == 0:
        for row, color in zip(values, colors[:3], strict=True):
            axes.plot(row, "o-", color=color, label=f"series {rng.integers(100)}")
        axes.legend()
        axes.grid()
    elif kind == 1:
        axes.bar(range(8), np.abs(values[0]), color=colors)
    else:
        shares = np.abs(values[0]) + 0.1
        axes.pie(shares, colors=colors, labels=[f"{share:.2f}" for share in shares])
    axes.set_title(f"Figure {rng.integers(1000)}, n = {rng.integers(10000)}")
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    picture = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy())
    angle = rng.uniform(-2, 2)
    picture = picture.rotate(angle, Image.Resampling.BICUBIC, fillcolor="white")
    blurred = np.asarray(picture.filter(ImageFilter.GaussianBlur(0.6)), "float32")
    paper = np.float32([250, 246, 236]) / 255
    grain = rng.normal(0, 4, (*blurred.shape[:2], 1))
    return np.uint8(np.clip(paper * blurred + grain, 0, 255))


def middle(picture, longest_side=768):
    """The middle of a picture, at most so many pixels high and wide."""
    height, width = (max(0, side - longest_side) // 2 for side in picture.shape[:2])
    return picture[height:, width:][:longest_side, :longest_side]


folder = Path(tempfile.mkdtemp())
training, test, charts = (folder / name for name in ("training", "test", "charts"))
for place in (training, test, charts):
    place.mkdir()

own = own_pictures(PICTURES)
if len(own) < 2:
    rng = np.random.default_rng(0)
    for number in range(15):
        write_image(charts / f"{number:03}.png", chart(rng))
    own = own_pictures(charts)
random.Random(0).shuffle(own)

for number, path in enumerate(own):
    if number % 5 == 0 and number < 100:
        write_image(test / f"{number:03}.png", middle(read_image(path)))
    else:
        (training / f"{number:03}{path.suffix}").symlink_to(path.resolve())
tests = len(list(test.iterdir()))
print(f"{len(own)} pictures, of which {tests} are for the test")

shown = [read_image(path) for path in own[:6]]
captions = [
    "to train on" if number % 5 else "for the test" for number in range(len(shown))
]
display(Image.fromarray(contact_sheet(shown, captions)))

# %% [markdown]
# ## A model by its address
#
# A published model is an archive on any web server, and its address is a *handle*: it
# ends in a version, and the version never changes. Give one here if you have one, of a
# codec. Otherwise the cell publishes the codec that comes with the package on a web
# server of its own, which serves this notebook only, and takes it from there. The
# checksum at the end of the handle *pins* the model: if another one is sent, it is
# refused.

# %%
HANDLE = ""  # such as https://models.example.org/codec/1.tar.gz

if not HANDLE:
    www = Path(tempfile.mkdtemp())
    archive = yoto.export.export("codec", www, target="hub")
    pages = functools.partial(http.server.SimpleHTTPRequestHandler, directory=www)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    checksum = Path(f"{archive}.sha256").read_text().split()[0]
    path = archive.relative_to(www).as_posix()
    HANDLE = f"http://127.0.0.1:{server.server_port}/{path}#sha256={checksum}"

print(HANDLE)
codec = yoto.zoo.load(HANDLE)

# %% [markdown]
# ## Before
#
# Every test picture is compressed at five settings of the dial, into real files, and
# decoded again.

# %%
before = evaluate(codec, test, settings=5)
for row in before.table():
    print("{:>12}{:>12}{:>12}{:>12}{:>10}".format(*row))

# %% [markdown]
# ## Train on
#
# One command. `codec/context` is the recipe by which the model was made, `--from` is
# where the weights come from, and `--set` changes some lines of the recipe: smaller
# steps than the first time, for the weights are good already. Each picture comes with a
# place of the dial drawn at random, as in the training before: all of the dial is
# trained on.

# %%
trained = tempfile.mkdtemp()

# !yoto train codec/context --from "{HANDLE}" --data {training} --workdir {trained} \
#     --steps {STEPS} --set learning_rate=2e-4 warmup_steps=20

# %% [markdown]
# ## After
#
# The trained model is in the folder `release` of that work folder. A folder is loaded
# like a handle.

# %%
tuned = yoto.zoo.load(f"{trained}/release")
after = evaluate(tuned, test, settings=5)
for row in after.table():
    print("{:>12}{:>12}{:>12}{:>12}{:>10}".format(*row))


def curve(evaluation):
    """Bits per pixel, and PSNR, at the settings: means of the test pictures."""
    points = [(point["bits_per_pixel"], point["psnr"]) for point in evaluation.mean]
    return zip(*points, strict=True)


figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
axes.plot(*curve(before), "o-", label="before")
axes.plot(*curve(after), "o-", label="after")
axes.set(xlabel="bits per pixel", ylabel="PSNR (dB)")
axes.grid(alpha=0.3)
axes.legend()
plt.show()

for old, new in zip(before.mean, after.mean, strict=True):
    gain = "some pictures exact"
    if None not in (old["psnr"], new["psnr"]):
        gain = f"PSNR {new['psnr'] - old['psnr']:+.2f} dB"
    percent = 100 * (new["bytes"] / old["bytes"] - 1)
    print(f"λ = {old['distortion']:.4f}: bytes {percent:+.1f} %, {gain}")

# %% [markdown]
# The curve of a better codec lies further up and to the left. Pages that are cheapest
# stored exactly, without the networks, have no PSNR (–) and nothing to gain. If your
# curve is as good as before only, train for longer; if it is worse, there were too few
# pictures. And here is a picture that neither of the two was trained on, in files of
# the same size:

# %%
picture = read_image(test / "000.png")
data = codec.compress(picture, quality=0.2)
data_tuned = tuned.compress(picture, target_size=len(data))
side = min(160, *picture.shape[:2])
details = [
    image[:side, :side]
    for image in (picture, codec.decompress(data), tuned.decompress(data_tuned))
]
captions = ["original"] + [
    f"{when}: {len(file):,} bytes"
    for when, file in (("before", data), ("after", data_tuned))
]
display(Image.fromarray(contact_sheet(details, captions, columns=3)))

# %% [markdown]
# ## Publish yours
#
# A compressed file can be read only by the model that wrote it, so keep the model with
# your files, or publish it:
#
#     yoto export fine-tuned/release www --target hub
#
# writes `www/…/1.tar.gz`, its checksum and a page about it. Put the folder on any web
# server, and the address of the archive is a handle, for everybody:
#
#     yoto compress chart.png chart.yoto --model https://models.example.org/codec/1.tar.gz
#
# ## What next
#
# Train for longer on more pictures: `STEPS` at the top, or the command above in a
# shell, where `--resume` carries on after an interruption. The notebook
# `compress_your_photos` takes a model's folder in `yoto.zoo.load` as well, and `deploy`
# puts one on a server.
