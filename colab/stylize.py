# %% [markdown]
# # Paint your photo, with five dials
#
# A network that paints photographs in the style of a painting is trained to fulfil two
# wishes: what is in the photograph should stay (*content*), and it should look like the
# painting (*style*). They contradict each other, and how they are weighed makes the
# picture. Usually the weights are fixed before the training. Whoever would like a bit
# more of the photograph, or longer strokes, trains another network.
#
# The network of this notebook was trained **once**, for several paintings and all
# weights. Every photograph that it saw in training came with weights drawn at random;
# the network was *told* them as a second input, and its mistakes were weighed by them.
# So it learned what to do for each, and the weights are now **dials** that you turn
# while you look. This is called *loss-conditional training* ([Dosovitskiy & Djolonga,
# 2020](https://openreview.net/forum?id=HyxY6JHKwr); with paintings, [Babaeizadeh &
# Ghiasi, 2020](https://arxiv.org/abs/1811.08560)).
#
# It takes a minute or two on a plain processor, and then as long as you like to play.

# %%
import io
import math
import shutil
from pathlib import Path

import ipywidgets as widgets
import numpy as np
from IPython.display import display
from PIL import Image
from tqdm import tqdm

import yoto_tf as yoto
from yoto_tf.data import own_pictures, photograph, read_image, write_image
from yoto_tf.errors import DataError
from yoto_tf.imaging.contact_sheet import contact_sheet

try:
    from google.colab import files
except ImportError:
    files = None

# %% [markdown]
# If `ipywidgets`, which makes the sliders, is missing: `pip install ipywidgets`, and
# start again. Colab has it.
#
# ## Your photographs
#
# On Colab the cell after the next asks for pictures, or for a zip file of them; cancel
# the upload to go on with a photograph of Rear Admiral Grace Hopper, who wrote one of
# the first compilers. Anywhere else it takes that photograph. Or write where yours are:
# a picture, a zip file or a folder, on your Google Drive as well. While you try things
# out, a small copy of the first is painted, so that you need not wait; at the end, all
# of them in their own size.

# %%
PHOTOS = ""  # such as "/content/drive/MyDrive/Photos"

# %% tags=["parameters"] short="PREVIEW_SIDE = 64"
PREVIEW_SIDE = 384  # pixels, the longer side

# %%
photos = own_pictures(PHOTOS)
image = read_image(photos[0]) if photos else photograph()
smaller = Image.fromarray(image)
smaller.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE), Image.Resampling.LANCZOS)
small = np.asarray(smaller)  # uint8 [height, width, 3]

height, width = image.shape[:2]
print(f"{width} × {height} pixels")

# %% [markdown]
# ## The styles
#
# Each was learned from one painting, and one network knows them all. Here is your
# picture in every one, with all dials in the middle.

# %%
stylizer = yoto.zoo.load("stylization")

painted = [stylizer.stylize(small, style) for style in stylizer.styles]
display(Image.fromarray(contact_sheet(painted, stylizer.styles)))

# %% [markdown]
# ## Turn the dials
#
# - `content`: how much of the photograph stays
# - `style_1`: the colours of the painting, and its grain
# - `style_2`: small strokes
# - `style_3`: longer ones
# - `style_4`: long strokes and large shapes
#
# What counts is how large they are *compared with each other*, so the sliders are
# logarithmic: on them, equal ways are equal ratios. The picture changes when you let a
# slider go.
#
# *Keep the colours* takes only light and dark from the painted picture, and the colours
# from the photograph.

# %%
style = widgets.Dropdown(
    options=stylizer.styles, value="starry_night", description="style"
)
dials = {
    name: widgets.FloatLogSlider(
        value=math.sqrt(low * high),
        min=math.log10(low),
        max=math.log10(high),
        step=0.05,
        description=name,
        readout_format=".2g",
        continuous_update=False,
    )
    for name, (low, high) in stylizer.coefficients.ranges().items()
}
keep_colors = widgets.Checkbox(description="keep the colours")
preview = widgets.Image(format="png")


def settings():
    """The dials as they stand, as `stylize` takes them."""
    values = {name: dial.value for name, dial in dials.items()}
    return {"preserve_color": keep_colors.value, **values}


def update(_=None):
    picture = stylizer.stylize(small, style.value, **settings())
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    preview.value = file.getvalue()


controls = [style, *dials.values(), keep_colors]
for control in controls:
    control.observe(update, names="value")
update()
# Without the layout a picture that is less high than the controls would be stretched.
layout = widgets.Layout(align_items="flex-start")
display(widgets.HBox([widgets.VBox(controls), preview], layout=layout))

# %% [markdown]
# ## Surprise me
#
# Five dials and many styles are more than anybody tries out by hand. So let chance turn
# them: every picture has a style and dials of its own, drawn as they were in training.
# If you like one, copy its numbers. Another `seed` gives others.

# %%
drawn = stylizer.random_settings(9, seed=0)
painted = [
    stylizer.stylize(small, setting.style, **setting.coefficients) for setting in drawn
]
display(Image.fromarray(contact_sheet(painted, map(str, drawn))))

# %% [markdown]
# ## Mix two styles
#
# The style is an input as well, and it need not be a single one. From picture to
# picture, the share of the second style grows. The dials are where you have left them
# above.

# %%
FIRST, SECOND = "starry_night", "udnie"

shares = [0, 0.2, 0.4, 0.6, 0.8, 1]
mixed = [
    stylizer.stylize(small, {FIRST: 1 - share, SECOND: share}, **settings())
    for share in shares
]
captions = [f"{1 - share:.0%} {FIRST}, {share:.0%} {SECOND}" for share in shares]
display(Image.fromarray(contact_sheet(mixed, captions)))

# %% [markdown]
# ## Keep the colours
#
# The strokes of the painting with the colours of the photograph: the same dials without
# and with it.

# %%
values = settings() | {"preserve_color": False}
plain = stylizer.stylize(small, style.value, **values)
colored = stylizer.stylize(small, style.value, **values | {"preserve_color": True})
captions = ["photograph", style.value, f"{style.value}, colours kept"]
display(Image.fromarray(contact_sheet([small, plain, colored], captions, columns=3)))

# %% [markdown]
# ## Save it in full size
#
# The style and the dials are those of the controls above. If you prefer a mixture,
# write it in place of `style.value`, such as `{"starry_night": 0.7, "udnie": 0.3}`.
# Strokes grow with a picture whose shorter side exceeds 768 pixels, so that it looks
# like itself at that size; `stroke=` chooses. A photograph of twelve megapixels is
# painted at 1024 × 768 and then brought to its size with the edges of the photograph.

# %%
STYLE = style.value

full = stylizer.stylize(image, STYLE, **settings())
write_image("painted.png", full)
print(f"painted.png: {full.shape[1]} × {full.shape[0]} pixels")
if files:
    files.download("painted.png")

shown = Image.fromarray(full)
shown.thumbnail((1024, 1024), Image.Resampling.LANCZOS)
display(shown)

# %% [markdown]
# The same in a shell, where the package is installed; it takes folders and animations
# (GIF, WebP) as well:

# %%
numbers = ",".join(f"{name}={dial.value:.3g}" for name, dial in dials.items())
print(
    f"yoto stylize photo.jpg painted.png --style {STYLE} \\\n"
    f"    --coefficients {numbers}{' --preserve-color' * keep_colors.value}"
)

# %% [markdown]
# ## All of them
#
# If you gave several photographs, here they are painted with the same style and dials,
# each in its own size. On Colab they come back as one zip file. What cannot be read is
# named and left out.

# %%
painted = Path("painted")
painted.mkdir(exist_ok=True)
for number, path in enumerate(tqdm(photos)):
    try:
        picture = read_image(path)
    except DataError as error:
        tqdm.write(str(error))
        continue
    # Two folders may have a picture of the same name.
    file = painted / f"{number:04}-{path.stem}.jpg"
    write_image(file, stylizer.stylize(picture, STYLE, **settings()))
if files and len(photos) > 1:
    files.download(shutil.make_archive("painted", "zip", painted))

# %% [markdown]
# ## What next
#
# Random settings on one sheet, or sliders in a browser:
#
#     yoto stylize photo.jpg sheet.png --random 16
#     yoto demo --web             # needs the extra "web"
#
# A short training makes a painting of your own one more style of this network:
#
#     yoto train stylization/new_style --add-style painting.jpg --data photos/ \
#         --workdir my-style
#
# `yoto export stylization site --target web` makes a page of it that needs no server.
# The notebook `quickstart` turns the dials of two other networks, and `train_your_own`
# gives a dial to a network of yours.
