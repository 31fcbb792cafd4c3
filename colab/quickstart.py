# %% [markdown]
# # Three models with a dial
#
# A small file or a faithful picture? More of the photograph or more of the painting?
# Whoever trains a neural network has to weigh such wishes against each other, by a
# number in front of each:
#
#     loss = a · one wish + b · the other
#
# The numbers are called *coefficients*, and the network learns the one compromise that
# they make. For another one they are changed, and the training starts again.
#
# The networks of this notebook were trained **once** for all compromises. Every example
# that they saw in training came with coefficients drawn at random; the network was
# *told* them as a second input, and its mistakes were weighed by them. So it learned
# what to do for each, and what used to be decided before the training is now a **dial**
# that you turn afterwards. This is called *loss-conditional training*
# ([Dosovitskiy & Djolonga, 2020](https://openreview.net/forum?id=HyxY6JHKwr)).
#
# Here are three such networks, for three kinds of work. Nothing is trained here; it
# takes a minute or two on a plain processor.

# %%
from pathlib import Path

import matplotlib
import numpy as np
from IPython.display import display
from PIL import Image, ImageDraw, ImageFont

import yoto_tf as yoto
from yoto_tf.data import photograph
from yoto_tf.imaging.contact_sheet import contact_sheet
from yoto_tf.imaging.grids import grid
from yoto_tf.imaging.metrics import psnr
from yoto_tf.zoo.vae.pictures import fitted

# %% tags=["parameters"] short="LONGEST_SIDE = 128"
LONGEST_SIDE = 512  # pixels

# %% [markdown]
# These came with the package, each with its coefficients and the range of values that
# it was trained on:

# %%
for name, summary in yoto.zoo.summaries().items():
    dials = [
        f"{dial} {low:g} … {high:g}" for dial, (low, high) in summary.ranges.items()
    ]
    print(f"{name:14} {', '.join(dials)}")

# %% [markdown]
# We need a photograph. This one shows Rear Admiral Grace Hopper, who wrote one of the
# first compilers.

# %%
smaller = Image.fromarray(photograph())
smaller.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
image = np.asarray(smaller)  # uint8 [height, width, 3]
display(smaller)

# %% [markdown]
# ## A codec: bytes against errors
#
# It turns a picture into a file and back, as JPEG does. The two wishes are **few
# errors** and **few bytes**, and the coefficient is what an error costs, compared with
# the bytes:
#
#     loss = distortion · error + bytes
#
# Its name is `distortion`, and in formulas it is λ. Five values from one end of the
# dial to the other give five files, all from the same network. The decibels (PSNR)
# measure the error; more is better.

# %%
codec = yoto.zoo.load("codec")

shown, captions = [image], [f"original, {image.nbytes:,} bytes"]
for setting in codec.settings(5):
    data = codec.compress(image, **setting)  # such as distortion=0.018
    decoded = codec.decompress(data)
    shown.append(decoded)
    captions.append(
        f"λ = {setting['distortion']:.4f}, {len(data):,} bytes, "
        f"{psnr(image, decoded):.1f} dB"
    )

height, width = image.shape[:2]
face = np.s_[height // 5 : height // 2, width // 3 : 2 * width // 3]
faces = [picture[face] for picture in shown]
display(Image.fromarray(contact_sheet(faces, captions)))

# %% [markdown]
# Or say what you want, and the codec turns the dial itself:

# %%
data = codec.compress(image, target_size=len(data) // 2)
print(f"at most half of the largest file: {len(data):,} bytes")

# %% [markdown]
# ## A painter: the photograph against the painting
#
# This network paints a photograph anew in the style of a painting. It knows several,
# by their names:

# %%
stylizer = yoto.zoo.load("stylization")
print(", ".join(stylizer.styles))

# %% [markdown]
# Five wishes are weighed here. `content` is the wish to keep what is in the photograph.
# The other four are to look like the painting: in its colours and its grain
# (`style_1`), and in ever longer strokes (`style_2` to `style_4`). What counts is how
# large they are compared with each other. A dial that is not named stays in the middle
# of its range.

# %%
STYLE = "starry_night"  # or another name of the list

low, high = stylizer.coefficients.ranges()["content"]
dial = np.geomspace(low, high, 6)
painted = [stylizer.stylize(image, STYLE, content=value) for value in dial]
captions = [f"content {value:.2g}" for value in dial]
display(Image.fromarray(contact_sheet(painted, captions)))

# %% [markdown]
# Now all four style dials at their highest; then one of them, and the other three at
# their lowest:

# %%
strokes = ["style_1", "style_2", "style_3", "style_4"]
low, high = stylizer.coefficients.ranges()["style_1"]
painted = [stylizer.stylize(image, STYLE, **dict.fromkeys(strokes, high))]
for name in strokes:
    values = {other: high if other == name else low for other in strokes}
    painted.append(stylizer.stylize(image, STYLE, **values))
captions = ["photograph", "all four", *(f"only {name}" for name in strokes)]
display(Image.fromarray(contact_sheet([image, *painted], captions)))

# %% [markdown]
# The style is an input too, and can be mixed, in any shares:

# %%
FIRST, SECOND = "starry_night", "udnie"

shares = [0, 0.2, 0.4, 0.6, 0.8, 1]
mixed = [stylizer.stylize(image, {FIRST: 1 - share, SECOND: share}) for share in shares]
captions = [f"{1 - share:.0%} {FIRST}, {share:.0%} {SECOND}" for share in shares]
display(Image.fromarray(contact_sheet(mixed, captions)))

# %% [markdown]
# ## A variational autoencoder: keeping against inventing
#
# A *VAE* squeezes a picture into a few numbers and draws it anew from them; and from
# random numbers it draws pictures that never were. To draw the same picture again it
# would like to keep **everything**. To invent new ones it should keep **little**, so
# that random numbers are not too different from those of a real picture. The
# coefficient is the price of what is kept. It is called `kl`, and in formulas it is β:
#
#     loss = error + kl · information kept
#
# This one was trained on handwritten digits, pictures of 28 × 28 pixels. We give it
# *printed* digits, of a kind that it has never seen.

# %%
vae = yoto.zoo.load("vae-mnist")


def printed(digit):
    """White on black, of the size that the network takes: uint8 [28, 28, 1]."""
    font = Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans-Oblique.ttf")
    picture = Image.new("RGB", (280, 280))
    ImageDraw.Draw(picture).text(
        (140, 140),
        str(digit),
        "white",
        ImageFont.truetype(str(font), 240),
        anchor="mm",
    )
    return fitted(np.asarray(picture), vae.model.image_shape)


digits = np.stack([printed(digit) for digit in range(10)])
betas = [0.125, 0.5, 1, 2, 4, 8, 32]
rows = [vae.reconstruct(digits, kl=beta) for beta in betas]
labels = [f"β = {beta:g}" for beta in betas]
display(Image.fromarray(grid([digits, *rows], ["original", *labels])))

# %% [markdown]
# While keeping is cheap, at the top, the digits come back as they were. The dearer it
# gets, the less of each is left: the 5 turns into any digit with such a belly. In the
# end nothing is worth its price, and all digits become the same blur.
#
# And here is what it invents. Every column has the same random numbers:

# %%
rows = [vae.sample(10, seed=0, kl=beta) for beta in betas]
display(Image.fromarray(grid(rows, labels)))

# %% [markdown]
# At the top the strokes are crisp, though some of them are no digit. Further down they
# grow soft, and at the bottom there is the blur again. Where between them you want to
# be, you have just found out without training anything.
#
# ## What next
#
# Other notebooks, beside this one:
#
# - `compress_your_photos`: the codec on a photograph of yours, beside JPEG and WebP
# - `stylize`: a photograph of yours, and a slider for each of the five dials
# - `train_your_own`: give a Keras model of your own a dial. That takes two lines.
# - `fine_tune`: make a pretrained model better at pictures of one kind
# - `deploy`: one model on a server, and a dial in each request
#
# And what you saw here, in a shell where the package is installed:
#
#     yoto list
#     yoto compress photo.jpg photo.yoto --target-size 30000
#     yoto stylize photo.jpg painted.png --style starry_night --coefficients content=0.3
#     yoto sample digits.png --model vae-mnist
#     yoto demo --web             # sliders in a browser; needs the extra "web"
