"""Integer probability tables: the one thing encoder and decoder must agree on."""

import dataclasses
import functools

import numpy as np

from yoto_tf.entropy.quantized_pmf import quantize_pmf
from yoto_tf.errors import FormatError, YotoError


@dataclasses.dataclass(frozen=True, eq=False)
class CodingTables:
    """Tables of symbol frequencies for the range coder, one a distribution.

    Table t codes the integers offsets[t], offsets[t] + 1, … and, as its last symbol,
    an escape for all others. They are built once and stored beside the weights: rebuilt
    elsewhere they could differ in the last bit, and nothing would decode any more.

    Attributes:
        frequencies: uint16 array, those of all tables one after the other, each at
            least 1. Those of a table sum to 2**precision.
        lengths: uint16 array [T], number of symbols of each table with the escape.
        offsets: int32 array [T], the integer that the first symbol of a table stands
            for.
        precision: int from 1 to 16.

    Raises:
        FormatError: if the arrays are not such tables.
    """

    frequencies: np.ndarray
    lengths: np.ndarray
    offsets: np.ndarray
    precision: int

    def __post_init__(self):
        def require(condition, expected):
            if not condition:
                raise FormatError(f"damaged coding tables: expected {expected}")

        for name, dtype in _DTYPES.items():
            array = getattr(self, name)
            require(
                array.ndim == 1 and array.dtype == dtype,
                f"{name} as a {dtype} vector, got {array.dtype} {array.shape}",
            )
        require(1 <= self.precision <= 16, f"a precision 1 to 16, got {self.precision}")
        require(len(self.lengths) > 0, "at least one table")
        require(len(self.offsets) == len(self.lengths), "one offset for every table")
        require(
            abs(self.offsets.astype("int64")).max() < 1 << 30, "offsets below 2**30"
        )
        require(self.lengths.min() >= 2, "two symbols or more in every table")
        require(
            self.lengths.sum(dtype="int64") == len(self.frequencies),
            "as many frequencies as the lengths say",
        )
        sums = np.add.reduceat(self.frequencies.astype("int64"), self._starts)
        require(
            self.frequencies.min() >= 1 and np.all(sums == 1 << self.precision),
            f"positive frequencies with the sum {1 << self.precision}",
        )

    @classmethod
    def from_pmfs(cls, pmfs, offsets, precision):
        """Quantises probability mass functions.

        Args:
            pmfs: sequence of float64 arrays, each with the probabilities of consecutive
                integers. What is missing to 1 goes to the escape symbol.
            offsets: sequence of int, the first integer of each.
            precision: int from 1 to 16; frequencies sum to 2**precision.

        Returns:
            CodingTables.

        Raises:
            YotoError: if there are more integers than frequencies to share out, or
                probabilities that are negative or not finite.
        """
        tables = []
        for pmf in pmfs:
            if not (np.all(np.isfinite(pmf)) and pmf.min() >= 0):
                raise YotoError(
                    "a probability is negative or not finite, expected a trained model"
                )
            if len(pmf) >= 1 << precision:
                raise YotoError(
                    f"{len(pmf)} probabilities, expected fewer than 2**{precision}"
                )
            escape = max(1.0 - pmf.sum(), 0.0)
            tables.append(quantize_pmf(np.append(pmf, escape), precision))
        return cls(
            frequencies=np.concatenate(tables).astype("uint16"),
            lengths=np.array([len(table) for table in tables], "uint16"),
            offsets=np.array(offsets, "int32"),
            precision=int(precision),
        )

    @classmethod
    def from_arrays(cls, arrays):
        """Restores tables from what `to_arrays` returned.

        Args:
            arrays: mapping from names to arrays, such as a loaded .npz file.

        Returns:
            CodingTables.

        Raises:
            FormatError: if an array is missing or damaged.
        """
        missing = [name for name in (*_DTYPES, "precision") if name not in arrays]
        if missing:
            raise FormatError(
                f"damaged coding tables: expected arrays {', '.join(missing)}"
            )
        precision = np.asarray(arrays["precision"])
        if precision.shape != () or precision.dtype.kind not in "iu":
            raise FormatError("damaged coding tables: expected an integer precision")
        return cls(
            **{name: np.asarray(arrays[name]) for name in _DTYPES},
            precision=int(precision),
        )

    def to_arrays(self):
        """The tables as a dict of small integer arrays, to be saved with the weights.

        Returns:
            dict with `frequencies`, `lengths`, `offsets` and `precision`.
        """
        return {
            **{name: getattr(self, name) for name in _DTYPES},
            "precision": np.uint8(self.precision),
        }

    def __len__(self):
        return len(self.lengths)

    @functools.cached_property
    def cumulatives(self):
        """For each table, the list of 0 and its summed frequencies, to 2**precision."""
        return [
            [0, *np.cumsum(table, dtype="int64").tolist()]
            for table in np.split(self.frequencies, self._starts[1:])
        ]

    @functools.cached_property
    def lookup(self):
        """All tables as TensorFlow Compression's ops take them.

        int32 vector: for each table the negated precision, which turns on its escape
        symbol, and then its cumulative.
        """
        numbers = np.arange(len(self))
        sums = np.concatenate([[0], np.cumsum(self.frequencies, dtype="int64")])
        # Each table has two entries more than frequencies.
        heads = self._starts + 2 * numbers
        places = np.arange(len(self.frequencies)) + 2 * np.repeat(
            numbers + 1, self.lengths
        )
        result = np.empty(len(self.frequencies) + 2 * len(self), "int32")
        result[heads], result[heads + 1] = -self.precision, 0
        result[places] = sums[1:] - np.repeat(sums[self._starts], self.lengths)
        return result

    @property
    def _starts(self):
        return np.cumsum(self.lengths, dtype="int64") - self.lengths


_DTYPES = {"frequencies": "uint16", "lengths": "uint16", "offsets": "int32"}


def integer_ranges(lower, upper, precision):
    """The integers that a table covers, given the tails of its distribution.

    A range too wide for the precision is cut around its middle; the escape symbol codes
    what falls outside.

    Args:
        lower: float array, lower tail quantiles.
        upper: float array, upper tail quantiles.
        precision: int, that of the tables.

    Returns:
        Two int arrays, the first and the last integer of each range.
    """
    first, last = np.floor(lower), np.ceil(upper)
    widest = 1 << precision - 1
    cut = np.maximum(np.ceil((last - first + 1 - widest) / 2), 0)
    return (first + cut).astype(int), (last - cut).astype(int)
