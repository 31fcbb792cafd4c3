"""Ours against numbers from TensorFlow Compression 2.14.1.

`benchmarks/tfc_parity.py` computes and writes them.
"""

import pathlib

import numpy as np
import pytest

from yoto_tf.entropy import (
    CodingTables,
    DeepFactorizedPrior,
    GaussianConditional,
    decode,
    encode,
    range_coding,
)
from yoto_tf.entropy.tfc_ops import load_tfc_ops

GOLDEN = np.load(pathlib.Path(__file__).parent / "golden" / "tfc_2_14_1.npz")
CHANNELS = GOLDEN["prior_x"].shape[1]
INDEXES = {
    "prior": np.tile(np.arange(CHANNELS), len(GOLDEN["prior_symbols"])),
    "gaussian": GOLDEN["gaussian_indexes"],
}


@pytest.fixture
def prior():
    prior = DeepFactorizedPrior()
    prior.build((None, CHANNELS))
    for weight in prior.trainable_variables:
        weight.assign(GOLDEN[f"prior_{weight.name}"])
    return prior


def golden_tables(name):
    fields = ("frequencies", "lengths", "offsets", "precision")
    return CodingTables.from_arrays({f: GOLDEN[f"{name}_{f}"] for f in fields})


def assert_likelihoods_match(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-5)
    np.testing.assert_allclose(actual, expected, rtol=1e-3, atol=1e-9)


def test_likelihoods_of_the_prior(prior):
    actual = prior.likelihood(GOLDEN["prior_x"])
    assert_likelihoods_match(actual, GOLDEN["prior_likelihood"])


def test_likelihoods_of_the_gaussian():
    actual = GaussianConditional().likelihood(
        GOLDEN["gaussian_x"], GOLDEN["gaussian_positions"]
    )
    assert_likelihoods_match(actual, GOLDEN["gaussian_likelihood"])


@pytest.mark.skipif(
    load_tfc_ops() is None, reason="without TFC's ops equals are ordered otherwise"
)
@pytest.mark.parametrize("name", ["prior", "gaussian"])
def test_tables(name, prior):
    model = {"prior": prior, "gaussian": GaussianConditional()}[name]
    tables = model.coding_tables(tail_mass=2**-8, precision=12)
    for field, array in tables.to_arrays().items():
        np.testing.assert_array_equal(array, GOLDEN[f"{name}_{field}"])


@pytest.mark.parametrize("coder", ["compiled", "portable"])
@pytest.mark.parametrize("name", ["prior", "gaussian"])
def test_strings(name, coder, monkeypatch):
    if coder == "portable":
        monkeypatch.setattr(range_coding, "load_tfc_ops", lambda: None)
    symbols, tables = GOLDEN[f"{name}_symbols"].ravel(), golden_tables(name)
    string = GOLDEN[f"{name}_string"].tobytes()
    assert encode(symbols, INDEXES[name], tables) == string
    np.testing.assert_array_equal(decode(string, INDEXES[name], tables), symbols)


@pytest.mark.parametrize("name", ["prior", "gaussian"])
def test_the_golden_symbols_reach_the_escape_on_both_sides(name):
    tables = golden_tables(name)
    symbols = GOLDEN[f"{name}_symbols"].ravel() - tables.offsets[INDEXES[name]]
    assert np.any(symbols < 0)
    assert np.any(symbols >= tables.lengths[INDEXES[name]])
