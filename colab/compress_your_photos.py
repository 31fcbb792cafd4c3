# %% [markdown]
# # Compress your photos with a dial
#
# A compressed picture is a compromise between **few bytes** and **few errors**. How
# many bytes is one error less worth? That price is a number, usually called λ, and what
# a codec makes as small as it can is
#
#     λ · error + bytes
#
# When the codec is a neural network, one is normally trained for every λ: eight
# compromises are eight trainings and eight networks to ship. The network of this
# notebook was trained **once**. Every picture that it saw in training came with a λ
# drawn at random; the network was *told* that λ as a second input, and its mistakes
# were weighed by it. So it learned what to do at every λ, and what used to be decided
# before training is now a dial that you turn afterwards. This is called
# *loss-conditional training* ([Dosovitskiy & Djolonga,
# 2020](https://openreview.net/forum?id=HyxY6JHKwr)).
#
# Here you turn the dial on a picture of your own, ask for a file of so many bytes, and
# compare with JPEG and WebP at the same number of bytes. It takes a minute or two, on a
# plain processor.

# %%
import io
import math
import zipfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display
from PIL import Image
from tqdm import tqdm

import yoto_tf as yoto
from yoto_tf.data import own_pictures, photograph, read_image
from yoto_tf.errors import DataError
from yoto_tf.imaging.contact_sheet import contact_sheet
from yoto_tf.imaging.metrics import bits_per_pixel, psnr

try:
    from google.colab import files
except ImportError:
    files = None

# %% [markdown]
# ## Your photographs
#
# On Colab the cell after the next asks for pictures, or for a zip file of them; cancel
# the upload to go on with a photograph of Rear Admiral Grace Hopper, who wrote one of
# the first compilers. Anywhere else it takes that photograph. Or write here where yours
# are: a picture, a zip file or a folder, on your Google Drive as well. The dial is
# tried on the first, in its own size; a photograph of twelve megapixels takes some
# minutes. All of them are compressed at the end.
#
# A picture that comes from a JPEG file favours JPEG: what JPEG cannot keep is gone
# already, and saving it again in the same way loses next to nothing. Scaling removes
# these traces, so the photograph of Grace Hopper is halved. For a fair comparison take
# one that was never a JPEG.

# %% tags=["parameters"]
PHOTOS = ""  # such as "/content/drive/MyDrive/Photos"

# %%
photos = own_pictures(PHOTOS)
if photos:
    image = read_image(photos[0])
else:
    image = np.asarray(Image.fromarray(photograph()).reduce(2))
height, width = image.shape[:2]
print(f"{width} × {height} pixels, {image.nbytes:,} bytes without compression")

# %% [markdown]
# ## Turn the dial
#
# `quality` is the position of the dial from 0, the smallest file, to 1, the best
# picture. Behind it is λ, on a logarithmic scale. The five files below are from one
# network; what is shown is the busiest part of the picture, enlarged.

# %%
codec = yoto.zoo.load("codec")

positions = [0, 0.25, 0.5, 0.75, 1]
compressed, decoded = [], []
for position in tqdm(positions):
    compressed.append(codec.compress(image, quality=position))
    decoded.append(codec.decompress(compressed[-1]))

# %%
side = max(2, min(height, width, 576) // 3)
grey = image.mean(axis=2)
squares = [
    (np.abs(np.diff(grey[y : y + side, x : x + side])).mean(), y, x)
    for y in range(0, height - side + 1, side // 2)
    for x in range(0, width - side + 1, side // 2)
]
_, top, left = max(squares)


def detail(picture):
    return picture[top : top + side, left : left + side]


details = [detail(image), *map(detail, decoded)]
captions = [f"original, {image.nbytes:,} bytes"] + [
    f"quality {position}, {len(data):,} bytes"
    for position, data in zip(positions, compressed, strict=True)
]
display(Image.fromarray(contact_sheet(details, captions)))

# %% [markdown]
# ## Ask for a size
#
# Often the compromise is not chosen by eye: the file has to fit somewhere. The codec
# turns its own dial until the file is at most that large and within one per cent of it.
# Put a size of your own here, between the two that are printed.

# %%
smallest, largest = len(compressed[0]), len(compressed[-1])
print(f"this picture: from {smallest:,} to {largest:,} bytes")
TARGET_SIZE = round(math.sqrt(smallest * largest))  # in the middle of the dial

data = codec.compress(image, target_size=TARGET_SIZE)
print(f"asked for {TARGET_SIZE:,} bytes, got {len(data):,}")

# %% [markdown]
# `target_bpp=0.5` (bits per pixel) and `target_psnr=34` (decibels, a measure of the
# error) work the same way.
#
# ## JPEG and WebP in as many bytes
#
# Both have a quality setting from 1 to 100. We take, for each, the highest that does
# not exceed the same size.

# %%


def encode(file_format, quality):
    file = io.BytesIO()
    options = {"JPEG": {"optimize": True}, "WEBP": {"method": 6}}[file_format]
    Image.fromarray(image).save(file, file_format, quality=quality, **options)
    return file.getvalue()


def decode(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def largest_within(file_format, size):
    """The best file of at most `size` bytes; the worst one if even that is larger."""
    best, low, high = encode(file_format, 1), 2, 100
    while low <= high:
        middle = (low + high) // 2
        candidate = encode(file_format, middle)
        if len(candidate) <= size:
            best, low = candidate, middle + 1
        else:
            high = middle - 1
    return best


decompressed = codec.decompress(data)
results = [("this codec", data, decompressed)]
for name in ("JPEG", "WEBP"):
    file = largest_within(name, TARGET_SIZE)
    results.append((name, file, decode(file)))

pictures = [image, *(picture for _, _, picture in results)]
captions = ["original"] + [
    f"{name}: {len(file):,} bytes, {psnr(image, picture):.1f} dB"
    for name, file, picture in results
]
display(Image.fromarray(contact_sheet(pictures, captions)))
display(Image.fromarray(contact_sheet(map(detail, pictures), captions)))

# %% [markdown]
# The decibels (PSNR) measure the error, more is better. It is the error that this codec
# was trained to keep small; JPEG and WebP were made to please the eye as well. So look
# before you believe a number. And do not expect wonders: how well a learned codec does
# is a matter of how long it was trained, and the card of this one, `print(codec.card)`,
# says how long that was.
#
# ## The whole trade-off
#
# Each setting is one point: its bytes to the right, its quality upwards. The best that
# a codec can do is a curve, called its *Pareto front*: along it, nothing is gained
# without paying for it. A network trained in the usual way is one point of such a
# curve. This one is all of it.

# %%


def point(file, picture):
    return bits_per_pixel(len(file), height, width), psnr(image, picture)


fronts = {"this codec": list(map(point, compressed, decoded))}
for name in ("JPEG", "WEBP"):
    found = [encode(name, quality) for quality in tqdm(range(5, 96, 10), name)]
    fronts[name] = [point(file, decode(file)) for file in found]

figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
for name, points in fronts.items():
    axes.plot(*zip(*points, strict=True), "o-", markersize=4, label=name)
rates, _ = zip(*fronts["this codec"], strict=True)
axes.set(xlabel="bits per pixel", ylabel="PSNR (dB)", xlim=(0, 1.3 * max(rates)))
axes.grid(alpha=0.3)
axes.legend()
plt.show()

# %% [markdown]
# ## Keep it
#
# A compressed picture is an ordinary file. It names the network that can read it and
# carries a checksum: a damaged one is refused, never shown as a wrong picture.

# %%
Path("picture.yoto").write_bytes(data)
again = codec.decompress(Path("picture.yoto").read_bytes())
print("read back, the same picture:", np.array_equal(again, decompressed))
if files:
    files.download("picture.yoto")

# %% [markdown]
# ## All of them
#
# If you gave several photographs, here they are compressed, each in its own size, and
# put into one file to take away. What cannot be read is named and left out.

# %%
QUALITY = 0.5

before = after = 0
with zipfile.ZipFile("compressed.zip", "w") as archive:
    for number, path in enumerate(tqdm(photos)):
        try:
            picture = read_image(path)
        except DataError as error:
            tqdm.write(str(error))
            continue
        small = codec.compress(picture, quality=QUALITY)
        # Two folders may have a picture of the same name.
        archive.writestr(f"{number:04}-{path.stem}.yoto", small)
        before, after = before + path.stat().st_size, after + len(small)
if after:
    print(f"files of {before:,} bytes became {after:,} bytes")
    if files:
        files.download("compressed.zip")
else:
    print("no photographs of yours were given")

# %% [markdown]
# ## What next
#
# In a shell, where the package is installed:
#
#     yoto compress photo.jpg photo.yoto --target-size 30000
#     yoto compress photos/ compressed/ --quality 0.5
#     yoto info photo.yoto
#     yoto decompress photo.yoto photo.png
#
# Are your pictures of one kind, such as paintings, charts or microscopy? The notebook
# `fine_tune` makes this codec better at them. To let other programs ask for a picture
# at any setting, see `deploy`; and `stylize` paints the photographs, with five dials.
