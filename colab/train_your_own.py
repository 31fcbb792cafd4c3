# %% [markdown]
# # Give your own Keras model a dial
#
# Most models are trained for a sum of several losses:
#
#     loss = error + c · something else
#
# and somebody has to choose *c* before the training starts. Too much of it or too
# little is seen only afterwards; then *c* is changed and the training starts again.
# Here is another way. Train the network **once**, with a *c* drawn at random for every
# example, and **tell the network** which one it is. It learns what to do for each of
# them, and *c* becomes a dial that you turn when the training is over. This is called
# *loss-conditional training* ([Dosovitskiy & Djolonga,
# 2020](https://openreview.net/forum?id=HyxY6JHKwr)).
#
# In this notebook a small network learns to remove noise from pictures. How far should
# it go? Leave some noise in, and no texture is lost; smooth everything, and the noise
# is gone along with the skin's pores. That is a matter of taste, so we want a dial for
# it. Everything runs in two or three minutes on a plain processor, without any
# download.

# %%
import keras
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display
from keras import layers, ops
from PIL import Image

import yoto_tf as yoto
from yoto_tf.data import photograph
from yoto_tf.imaging.contact_sheet import contact_sheet
from yoto_tf.imaging.grids import grid

keras.utils.set_random_seed(0)

# %% tags=["parameters"] short="EPOCHS = 1"
EPOCHS = 25

# %% [markdown]
# ## Data
#
# To learn from, we draw pictures: discs of random sizes and colours that cover one
# another like fallen leaves. They have what matters in photographs, edges and flat
# regions at all scales, and the generator fits into a cell. To look at, we take a real
# photograph that the network never sees in training.

# %%
NOISE = 0.1  # standard deviation; pictures are between 0 and 1
random = np.random.default_rng(0)


def leaves(count, side=32, discs=60):
    """Pictures of discs that cover one another: [count, side, side, 3]."""
    rows, columns = np.mgrid[:side, :side]
    pictures = np.empty((count, side, side, 3), "float32")
    for picture in pictures:
        picture[:] = random.uniform(size=3)
        for _ in range(discs):
            y, x = random.uniform(0, side, 2)
            radius = min(2 / np.sqrt(random.uniform()), side)
            disc = (rows - y) ** 2 + (columns - x) ** 2 <= radius**2
            picture[disc] = random.uniform(size=3)
    return pictures


def with_noise(clean):
    noise = random.standard_normal(clean.shape, "float32")
    return {"noisy": clean + NOISE * noise, "clean": clean}


def as_uint8(pictures):
    return np.uint8(255 * np.clip(pictures, 0, 1) + 0.5)


training = with_noise(leaves(1024))
face = photograph()[140:300, 180:340].astype("float32") / 255
photo = with_noise(face[None])
test = with_noise(leaves(128))
rows = [as_uint8(training[name][:8]) for name in ("clean", "noisy")]
display(Image.fromarray(grid(rows, ["clean", "noisy"], enlarged=3)))

# %% [markdown]
# ## A plain network
#
# Any functional or Sequential Keras model will do. This one looks at the noisy picture,
# estimates the noise and subtracts it. It knows nothing of dials.

# %%
noisy = keras.Input((None, None, 3), name="noisy")
x = noisy
for _ in range(4):
    x = layers.Conv2D(24, 3, padding="same", activation="relu")(x)
noise = layers.Conv2D(3, 3, padding="same")(x)
denoiser = keras.Model(noisy, noisy - noise)

# %% [markdown]
# ## Two lines for the dial
#
# A coefficient has a name and a range of values that you may want later. Between 0.01
# and 1 we do not care for differences but for ratios, hence *log*-uniform.
# `condition` returns a copy of the network with one more input, `"coefficients"`.
# Layers called FiLM scale and shift the channels of its hidden layers as a function of
# that input. They start as the identity: a pretrained network would keep all that it
# knows.

# %%
coefficients = yoto.Coefficients(smoothness=yoto.LogUniform(0.01, 1))
network = yoto.condition(denoiser, coefficients)

print(f"weights without a dial: {denoiser.count_params():,}")
print(f"weights with a dial:    {network.count_params():,}")
print("inputs:", {name: tuple(x.shape) for name, x in network.input.items()})

# %% [markdown]
# ## The losses
#
# One number for **each example**, not their mean, because every example is trained for
# another balance. A term is multiplied by the coefficient of the same name; a term
# without one counts once.
#
# - `error`: how far the output is from the clean picture.
# - `smoothness`: how much neighbouring pixels differ (*total variation*). Small is
#   smooth.

# %%


def loss_terms(inputs, outputs):
    error = ops.square(outputs - inputs["clean"])
    down, across = (ops.abs(ops.diff(outputs, axis=axis)) for axis in (1, 2))
    return {
        "error": ops.mean(error, axis=(1, 2, 3)),
        "smoothness": ops.mean(down, axis=(1, 2, 3)) + ops.mean(across, axis=(1, 2, 3)),
    }


# %% [markdown]
# ## Train, once
#
# `LossConditionalModel` draws a coefficient for each example, tells the network, and
# weighs the losses by it. The rest is Keras' own `fit`. `normalize_weights` keeps
# examples with large coefficients from drowning the others.

# %%
model = yoto.LossConditionalModel(
    network, loss_terms, coefficients, normalize_weights=True
)
steps = EPOCHS * len(training["clean"]) // 32
decay = keras.optimizers.schedules.CosineDecay(3e-3, steps)
model.compile(keras.optimizers.Adam(decay), jit_compile=False)
history = model.fit(training, batch_size=32, epochs=EPOCHS, verbose=0)

plt.figure(figsize=(6, 2.5), layout="constrained")
plt.semilogy(history.history["loss"])
plt.xlabel("epoch")
plt.ylabel("weighted loss")
plt.show()

# %% [markdown]
# ## Turn the dial
#
# One network, one set of weights, four balances, on a photograph of a kind that it has
# never seen.

# %%
settings = [0.01, 0.1, 0.3, 1]
outputs = [model.predict_at(photo, smoothness=value)[0] for value in settings]
shown = as_uint8([photo["noisy"][0], *outputs, photo["clean"][0]])
captions = ["noisy", *(f"smoothness {value}" for value in settings), "clean"]
display(Image.fromarray(contact_sheet(shown, captions)))

# %% [markdown]
# ## The Pareto front
#
# `sweep` measures every loss at as many settings as you like, here on drawings that
# were kept out of the training. Each setting is a point, and none is better than
# another in both losses: the choice between them is a matter of taste. Such a curve is
# called a *Pareto front*. In the usual way every point of it is a training of its own.

# %%
front = yoto.sweep(model, test, coefficients.grid(9))
front.plot("front.png", "smoothness", "error")
display(Image.open("front.png"))

for row in front.table():
    print(
        "coefficient {smoothness_coefficient:.4f}: error {error:.5f}, "
        "smoothness {smoothness:.4f}".format(**row)
    )

# %% [markdown]
# Or do not turn the dial yourself, but say what you want: the smoothest pictures whose
# error is at most a half above the least.

# %%
bound = 1.5 * front.points("error").min()
best = yoto.find(model, test, minimise="smoothness", subject_to=f"error <= {bound:.6f}")
print("coefficient:", best.coefficients)
print("losses there:", best.values)

# %% [markdown]
# ## Keep it
#
# `network` is a plain Keras model: save it, load it, export it.

# %%
network.save("denoiser.keras")
loaded = keras.models.load_model("denoiser.keras")
smooth = loaded({"noisy": photo["noisy"], "coefficients": np.array([[1]], "float32")})
print("largest difference:", float(np.abs(np.asarray(smooth)[0] - outputs[-1]).max()))

# %% [markdown]
# ## What next: yours
#
# - Replace `denoiser` by your model, `loss_terms` by your losses, and `training` by
#   your data: a dict of arrays, or batches that are dicts. What the losses need beside
#   the inputs, such as labels, is in the dict too.
# - Several coefficients: `yoto.Coefficients(a=yoto.LogUniform(0.1, 10),
#   b=yoto.Uniform(0, 1))`.
# - Is one network as good as one for each balance? `yoto.compare` trains both and says
#   what is lost and what is saved. Small networks pay for the dial with some quality; a
#   wider one gets it back.
# - To make a service of it, see the notebook `deploy`.
