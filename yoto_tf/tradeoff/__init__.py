"""Measuring, comparing and choosing the trade-offs that models reach."""

from yoto_tf.tradeoff.bjontegaard import bd_rate
from yoto_tf.tradeoff.constraints import Found, find, search
from yoto_tf.tradeoff.fronts import hypervolume, non_dominated
from yoto_tf.tradeoff.sweeps import Sweep, regret, sweep

__all__ = [
    "Found",
    "Sweep",
    "bd_rate",
    "find",
    "hypervolume",
    "non_dominated",
    "regret",
    "search",
    "sweep",
]
