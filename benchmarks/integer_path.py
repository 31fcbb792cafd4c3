"""What exact integer probabilities cost: real files against ideal codes.

    python benchmarks/integer_path.py --data KODAK_FOLDER [--model codec-v1] [--count N]

takes a codec without a context, compresses pictures at eight λ, takes the symbols out
of the real files, and counts the bits of these same symbols

- `ideal`: minus log2 of their probabilities as the networks give them in floating
  point, for the exact λ, the scale of every density continuous;
- `float tables`: under the range coder's integer tables, chosen by the same floating
  point: one of 64 scales;
- `integer tables`: under the tables that the integer path chooses: these can be decoded
  everywhere;
- `coded`: in the bytes of the range coder;
- `file`: in the whole file with its header.

It prints the means over the pictures and, for each of these, the BD-rate against the
ideal; of the integer tables against the float tables it is the cost of the integer
arithmetic alone. Writes `results/integer_path_MODEL.json`.
"""

import argparse
import json
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from keras import ops
from tqdm import tqdm

from yoto_tf import zoo
from yoto_tf.data import image_files, read_image
from yoto_tf.entropy.bits import total_bits
from yoto_tf.entropy.scale_table import NUM_SCALES
from yoto_tf.imaging.metrics import psnr
from yoto_tf.machine.atomic_files import write_atomically
from yoto_tf.machine.compilation import compiled
from yoto_tf.tradeoff import bd_rate
from yoto_tf.zoo.codec.coding.container import Container
from yoto_tf.zoo.codec.coding.symbol_coding import channel_indexes
from yoto_tf.zoo.codec.evaluation import SETTINGS

RESULTS = Path(__file__).parent / "results"
CODES = ("ideal", "float tables", "integer tables", "coded", "file")


def table_bits(symbols, indexes, tables):
    """The bits of integers under their tables, however a range coder rounds.

    Args:
        symbols: int array of any shape.
        indexes: int array of that shape, the table of each.
        tables: CodingTables.

    Returns:
        A float. An integer outside of its table costs that table's escape symbol, an
        Elias gamma code and a sign.
    """
    starts = np.cumsum(tables.lengths, dtype="int64") - tables.lengths
    numbers = symbols.astype("int64") - tables.offsets[indexes]
    escapes = tables.lengths[indexes].astype("int64") - 1
    is_escaped = (numbers < 0) | (numbers >= escapes)
    places = starts[indexes] + np.where(is_escaped, escapes, numbers)
    bits = np.sum(tables.precision - np.log2(tables.frequencies[places], dtype="f8"))
    gammas = np.where(numbers < 0, -numbers, numbers - escapes + 1)[is_escaped]
    return float(bits + np.sum(2 * np.floor(np.log2(gammas)) + 2))


class Counter:
    """Counts the bits of a picture's symbols under each code.

    Args:
        codec: a `Codec` with a hyperprior.
    """

    def __init__(self, codec):
        self._codec = codec
        self._in_floating_point = compiled(self._likelihoods)

    def __call__(self, data):
        """{code: bits} of a file's content; see the module's docstring."""
        coding, container = self._codec.coding, Container.from_bytes(data)
        vector = container.vector(self._codec.model_id, self._codec.coefficients)
        blocks = container.blocks(self._codec.model.multiple)
        integers = coding.read(container.sections, *blocks, vector)
        hyper_latents, symbols = integers
        places, ideal = self._in_floating_point(
            *(ops.convert_to_tensor(array[None]) for array in (*integers, vector))
        )
        level = coding.levels.index(vector)
        hyper_bits = table_bits(
            hyper_latents.ravel(),
            channel_indexes(hyper_latents.shape, level),
            coding.hyper_tables,
        )
        nearest = np.rint(ops.convert_to_numpy(places)[0])
        chosen = {
            "float tables": np.clip(nearest, 0, NUM_SCALES - 1).astype("int32"),
            "integer tables": coding.scales(hyper_latents, level),
        }
        return {
            "ideal": float(ideal[0]),
            **{
                code: hyper_bits + table_bits(symbols, indexes, coding.tables)
                for code, indexes in chosen.items()
            },
            "coded": 8 * sum(map(len, container.sections)),
            "file": 8 * len(data),
        }

    def _likelihoods(self, hyper_latents, symbols, coefficients):
        """Graph: integers to places in the scale table and bits, in floating point."""
        network = self._codec.model
        embedding = network.embedding(coefficients)
        hyper_latents = ops.cast(hyper_latents, "float32")
        places = network.scale_index(hyper_latents, embedding)
        prior = network.prior.likelihood(
            hyper_latents, *network.prior_film.scale_and_shift(embedding)
        )
        latents = network.conditional.likelihood(ops.cast(symbols, "float32"), places)
        return places, total_bits(prior) + total_bits(latents)


def measure(codec, files, settings=SETTINGS):
    """Means over pictures: a dict for each λ with its bits per pixel and PSNR."""
    dial, count = codec.settings(settings), Counter(codec)
    rows = []
    for file in tqdm(files, unit="picture", delay=1, disable=None):
        image = read_image(file)
        pixels = image.shape[0] * image.shape[1]
        for setting in dial:
            data = codec.compress(image, **setting)
            bits = {code: total / pixels for code, total in count(data).items()}
            quality = psnr(image, codec.decompress(data))
            rows.append({**setting, "psnr": quality, **bits})
    return [
        {
            name: float(np.mean([row[name] for row in rows[at :: len(dial)]]))
            for name in rows[0]
        }
        for at in range(len(dial))
    ]


def costs(points):
    """BD-rates in percent: {"CODE against CODE": rate}."""
    qualities = [point["psnr"] for point in points]
    curves = {code: ([point[code] for point in points], qualities) for code in CODES}
    pairs = [(code, "ideal") for code in CODES[1:]]
    pairs.append(("integer tables", "float tables"))
    return {
        f"{code} against {anchor}": bd_rate(*curves[code], *curves[anchor])
        for code, anchor in pairs
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", required=True, help="folder or glob of pictures")
    parser.add_argument("--model", default="codec-v1")
    parser.add_argument("--count", type=int, help="only the first pictures")
    parser.add_argument("--results", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    files = image_files(arguments.data)[: arguments.count]
    points = measure(zoo.load(arguments.model), files)
    rates = costs(points)
    print(f"bits per pixel, mean of {len(files)} pictures, and percent over the ideal")
    print("       λ     ideal" + "".join(f"{code:>17}" for code in CODES[1:]))
    for point in points:
        ideal = point["ideal"]
        cells = "".join(
            f"{point[code]:8.4f} {100 * (point[code] / ideal - 1):+6.3f} %"
            for code in CODES[1:]
        )
        print(f"{point['distortion']:8.4f}  {ideal:8.4f}{cells}")
    print("BD-rate (PSNR)")
    for pair, rate in rates.items():
        print(f"  {pair:38} {rate:+.3f} %")
    results = {
        "model": Path(arguments.model).name,
        "pictures": len(files),
        "bits_per_pixel": points,
        "bd_rate_percent": rates,
    }
    arguments.results.mkdir(exist_ok=True)
    target = arguments.results / f"integer_path_{results['model']}.json"
    write_atomically(target, f"{json.dumps(results, indent=1)}\n".encode())


if __name__ == "__main__":
    main()
