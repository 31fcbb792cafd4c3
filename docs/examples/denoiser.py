"""A photograph denoiser with a dial between fidelity and smoothness.

    python docs/examples/denoiser.py --data PHOTOGRAPHS --test OTHER_PHOTOGRAPHS

trains one small network for all balances of squared error and total variation, prints
what it reaches on photographs it has not seen, and writes to `--out`:

    denoiser.png         noisy, four settings of the dial, clean; a row a photograph
    denoiser_front.png   error against total variation over the whole dial
    denoiser.json        the same as numbers
"""

import argparse
from pathlib import Path

import keras
import numpy as np
from keras import layers, ops
from PIL import Image, ImageDraw

import yoto_tf as yoto
from yoto_tf.data import Patches, image_files, read_image, write_image
from yoto_tf.imaging.fonts import font

NOISE = 0.1  # its standard deviation; pictures are in [0, 1]
COEFFICIENTS = yoto.Coefficients(smoothness=yoto.LogUniform(0.003, 0.3))


def denoiser():
    """A plain network without a dial: it estimates the noise and subtracts it."""
    noisy = keras.Input((None, None, 3), name="noisy")
    x = noisy
    for _ in range(4):
        x = layers.Conv2D(32, 3, padding="same", activation="relu")(x)
    noise = layers.Conv2D(3, 3, padding="same")(x)
    return keras.Model(noisy, noisy - noise)


def loss_terms(inputs, outputs):
    """Squared error and total variation (less is smoother), of each picture."""
    error = ops.square(outputs - inputs["clean"])
    down, across = (ops.abs(ops.diff(outputs, axis=axis)) for axis in (1, 2))
    return {
        "error": ops.mean(error, axis=(1, 2, 3)),
        "smoothness": ops.mean(down, axis=(1, 2, 3)) + ops.mean(across, axis=(1, 2, 3)),
    }


def psnr(inputs, outputs):
    """What to measure besides the loss terms, in dB."""
    return {"psnr": -10 * ops.log10(loss_terms(inputs, outputs)["error"])}


def noisy(clean, seed):
    """What the network sees and what it is to return."""
    noise = np.random.default_rng(seed).standard_normal(clean.shape, "float32")
    return {"noisy": clean + NOISE * noise, "clean": clean}


class NoisyPatches(Patches):
    """Random patches of photographs, each batch with noise of its own, for ever."""

    def __getitem__(self, index):
        return noisy(super().__getitem__(index)["image"], seed=index)


def noisy_photographs(folder, side=192):
    """The middle of every photograph, each a batch of one."""
    for seed, file in enumerate(image_files(folder)):
        picture = read_image(file)
        top, left = (max(0, (length - side) // 2) for length in picture.shape[:2])
        picture = picture[top : top + side, left : left + side]
        yield noisy(picture[None].astype("float32") / 255, seed)


def comparison(model, examples, settings):
    """One row an example, below captions: noisy, each setting of the dial, clean.

    uint8 [H, W, 3].
    """
    rows = []
    for example in examples:
        outputs = [model.predict_at(example, smoothness=value) for value in settings]
        row = [example["noisy"], *outputs, example["clean"]]
        rows.append(np.concatenate([np.asarray(picture)[0] for picture in row], axis=1))
    sheet = np.uint8(np.clip(np.concatenate(rows), 0, 1) * 255 + 0.5)
    captions = ["noisy", *(f"smoothness {value:g}" for value in settings), "clean"]
    return np.concatenate([header(captions, sheet.shape[1]), sheet])


def header(captions, width, height=28):
    """Captions side by side on white, each with an equal part of the width."""
    strip = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(strip)
    for column, caption in enumerate(captions):
        place = ((column + 0.5) * width / len(captions), height / 2)
        draw.text(place, caption, "black", font(16), anchor="mm")
    return np.asarray(strip)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", required=True, help="folder of photographs")
    parser.add_argument("--test", required=True, help="folder of other photographs")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--out", type=Path, default=Path("results"))
    args = parser.parse_args(arguments)
    args.out.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(0)

    network = yoto.condition(denoiser(), COEFFICIENTS)
    model = yoto.LossConditionalModel(
        network, loss_terms, COEFFICIENTS, normalize_weights=True
    )
    decay = keras.optimizers.schedules.CosineDecay(2e-3, args.steps)
    # JAX needs XLA; TensorFlow is faster without it at such small convolutions.
    is_jax = keras.backend.backend() == "jax"
    model.compile(keras.optimizers.Adam(decay), jit_compile=is_jax)
    patches = NoisyPatches(args.data, size=48, batch_size=16)
    model.fit(patches, steps_per_epoch=args.steps, shuffle=False)

    test = list(noisy_photographs(args.test))
    front = yoto.sweep(model, test, COEFFICIENTS.grid(9), metrics=psnr)
    print("coefficient  PSNR (dB)  total variation")
    for row in front.table():
        print(
            "{smoothness_coefficient:11.4f}{psnr:11.2f}{smoothness:17.4f}".format(**row)
        )
    bound = f"psnr >= {front.points('psnr').max() - 1:.3f}"
    best = yoto.find(model, test, minimise="smoothness", subject_to=bound, metrics=psnr)
    print(f"the smoothest with {bound}: {best.coefficients}, {best.values}")

    front.to_json(args.out / "denoiser.json")
    front.plot(
        args.out / "denoiser_front.png",
        "smoothness",
        "error",
        labels=(
            "total variation (mean, levels in [0, 1])",
            "squared error (mean, levels in [0, 1])",
            "coefficient of smoothness",
        ),
    )
    shown = test[:: -(-len(test) // 3)]
    settings = [0.003, 0.02, 0.08, 0.3]
    write_image(args.out / "denoiser.png", comparison(model, shown, settings))


if __name__ == "__main__":
    main()
