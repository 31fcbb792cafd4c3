"""Compares the entropy models with TensorFlow Compression's, number for number.

    python benchmarks/tfc_parity.py                    # a minute, downloads 600 MB
    python benchmarks/tfc_parity.py --python ENV/bin/python

In an environment of its own, which needs Python 3.9 to 3.11, tensorflow-compression
2.14.1 computes likelihoods, quantised CDF tables and coded strings of both entropy
models from seeded parameters and integers. They are written to
tests/entropy/golden/tfc_2_14_1.npz, where the tests find them, and ours are compared
with them. TensorFlow Compression is told to build its tables in float64, where rounding
errors are too small to change a frequency from one machine to another.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

GOLDEN = pathlib.Path(__file__).parents[1] / "tests/entropy/golden/tfc_2_14_1.npz"
REQUIREMENTS = ("tensorflow-compression==2.14.1", "tensorflow==2.14.1")
CHANNELS, NUM_FILTERS = 6, (3, 3, 3)
VERDICTS = {True: "identical", False: "DIFFERENT"}
MIN_SCALE, MAX_SCALE, NUM_SCALES = 0.11, 256.0, 64


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", help="interpreter with tensorflow-compression")
    parser.add_argument("--reference", metavar="OUT", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.reference:
        np.savez_compressed(arguments.reference, **reference_numbers())
        return
    with tempfile.TemporaryDirectory() as folder:
        python = arguments.python or create_environment(folder)
        subprocess.run(
            [python, __file__, "--reference", f"{folder}/new.npz"], check=True
        )
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_bytes(pathlib.Path(folder, "new.npz").read_bytes())
    print(f"wrote {GOLDEN.name}, {GOLDEN.stat().st_size} bytes")
    compare()


def create_environment(folder):
    """Makes a virtual environment with TensorFlow Compression, returns its Python."""
    if not (3, 9) <= sys.version_info[:2] <= (3, 11):
        sys.exit(
            "tensorflow-compression 2.14.1 needs Python 3.9 to 3.11: give --python"
        )
    subprocess.run([sys.executable, "-m", "venv", f"{folder}/env"], check=True)
    python = f"{folder}/env/bin/python"
    subprocess.run([python, "-m", "pip", "install", "-q", *REQUIREMENTS], check=True)
    return python


def reference_numbers():
    """What TensorFlow Compression computes, with what it is computed from."""
    rng = np.random.default_rng(2018)
    numbers = {}
    for part in (factorized_reference, gaussian_reference):
        numbers.update(part(rng))
    return numbers


def factorized_reference(rng):
    import tensorflow as tf
    import tensorflow_compression as tfc

    def make_prior(dtype, weights):
        prior = tfc.NoisyDeepFactorized(
            batch_shape=(CHANNELS,), num_filters=NUM_FILTERS, dtype=dtype
        )
        variables = [*prior.base._matrices, *prior.base._biases, *prior.base._factors]
        # No strict zip: Python 3.9 runs this part.
        for i, weight in enumerate(weights):
            variables[i].assign(tf.cast(weight, dtype))
        return prior, variables

    tf.random.set_seed(2018)
    # Away from the initial values, where all channels would have the same shape.
    _, initial = make_prior(tf.float32, [])
    weights = [
        (v.numpy() + rng.normal(0, 0.5, v.shape)).astype("float32") for v in initial
    ]
    x = rng.normal(0, 20, (200, CHANNELS)).astype("float32")
    prior, _ = make_prior(tf.float32, weights)
    likelihood = prior.prob(x).numpy()

    symbols = np.rint(rng.laplace(0, 8, (150, CHANNELS))).astype("int32")
    symbols[::50] *= 300
    model = tfc.ContinuousBatchedEntropyModel(
        make_prior(tf.float64, weights)[0],
        coding_rank=2,
        compression=True,
        offset_heuristic=False,
        bottleneck_dtype=tf.float32,
    )
    string = model.compress(symbols.astype("float32")).numpy()
    layers = len(NUM_FILTERS) + 1
    return {
        **{f"prior_matrix_{i}": weights[i] for i in range(layers)},
        **{f"prior_bias_{i}": weights[layers + i] for i in range(layers)},
        **{f"prior_factor_{i}": weights[2 * layers + i] for i in range(layers - 1)},
        "prior_x": x,
        "prior_likelihood": likelihood,
        "prior_symbols": symbols,
        "prior_string": np.frombuffer(string, "uint8"),
        **{f"prior_{name}": array for name, array in tables_of(model).items()},
    }


def gaussian_reference(rng):
    import tensorflow as tf
    import tensorflow_compression as tfc

    def scale_fn(index):
        step = (np.log(MAX_SCALE) - np.log(MIN_SCALE)) / (NUM_SCALES - 1)
        return tf.exp(tf.cast(np.log(MIN_SCALE), index.dtype) + step * index)

    def make_model(dtype):
        return tfc.LocationScaleIndexedEntropyModel(
            tfc.NoisyNormal,
            NUM_SCALES,
            scale_fn,
            coding_rank=1,
            compression=True,
            bottleneck_dtype=tf.float32,
            prior_dtype=dtype,
        )

    positions = rng.uniform(0, NUM_SCALES - 1, 1000).astype("float32")
    scales = scale_fn(tf.constant(positions)).numpy()
    x = (rng.normal(0, 1.5, 1000) * scales).astype("float32")
    likelihood = tfc.NoisyNormal(loc=0.0, scale=scales).prob(x).numpy()

    indexes = rng.integers(0, NUM_SCALES, 3000).astype("int32")
    scales = scale_fn(tf.constant(indexes, tf.float32)).numpy()
    symbols = np.rint(rng.normal(0, 1.2, 3000) * scales).astype("int32")
    symbols[::500] *= 40
    model = make_model(tf.float64)
    string = model.compress(symbols.astype("float32"), indexes).numpy()
    return {
        "gaussian_x": x,
        "gaussian_positions": positions,
        "gaussian_likelihood": likelihood,
        "gaussian_symbols": symbols,
        "gaussian_indexes": indexes,
        "gaussian_string": np.frombuffer(string, "uint8"),
        **{f"gaussian_{name}": array for name, array in tables_of(model).items()},
    }


def tables_of(model):
    """Frequencies, lengths and offsets from an entropy model's flat CDF vector."""
    cdf = model.cdf.numpy()
    # Each table begins with its negated precision, all else is positive or zero.
    tables = [np.diff(table[1:]) for table in np.split(cdf, np.nonzero(cdf < 0)[0])[1:]]
    return {
        "frequencies": np.concatenate(tables).astype("uint16"),
        "lengths": np.array([len(table) for table in tables], "uint16"),
        "offsets": model.cdf_offset.numpy(),
        "precision": np.uint8(-cdf[0]),
    }


def compare():
    """Prints how far our numbers are from the reference."""
    from yoto_tf.entropy import DeepFactorizedPrior, GaussianConditional, encode

    golden = np.load(GOLDEN)
    prior, gaussian = (
        DeepFactorizedPrior(num_filters=NUM_FILTERS),
        GaussianConditional(),
    )
    prior.build((None, CHANNELS))
    for name in ("matrix", "bias", "factor"):
        weights = {"matrix": "matrices", "bias": "biases", "factor": "factors"}[name]
        for i, weight in enumerate(getattr(prior, weights)):
            weight.assign(golden[f"prior_{name}_{i}"])
    likelihoods = {
        "prior": prior.likelihood(golden["prior_x"]),
        "gaussian": gaussian.likelihood(
            golden["gaussian_x"], golden["gaussian_positions"]
        ),
    }
    indexes = {
        "prior": np.tile(np.arange(CHANNELS), len(golden["prior_symbols"])),
        "gaussian": golden["gaussian_indexes"],
    }
    for name, model in (("prior", prior), ("gaussian", gaussian)):
        error = np.abs(np.asarray(likelihoods[name]) - golden[f"{name}_likelihood"])
        tables = model.coding_tables(tail_mass=2**-8, precision=12)
        same = all(
            np.array_equal(array, golden[f"{name}_{field}"])
            for field, array in tables.to_arrays().items()
        )
        string = encode(golden[f"{name}_symbols"].ravel(), indexes[name], tables)
        same_string = string == golden[f"{name}_string"].tobytes()
        print(
            f"{name}: likelihoods differ by {error.max():.1e} at most, {len(tables)} "
            f"tables {VERDICTS[same]}, string of {len(string)} bytes "
            f"{VERDICTS[same_string]}"
        )


if __name__ == "__main__":
    main()
