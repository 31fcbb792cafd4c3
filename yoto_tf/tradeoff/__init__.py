"""Measuring, comparing and choosing the trade-offs that models reach."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "bjontegaard": ["bd_rate"],
        "affinities": ["Affinity", "affinity"],
        "compared": ["Comparison"],
        "comparison": ["compare"],
        "constraints": ["Found", "find", "search"],
        "fronts": ["hypervolume", "non_dominated"],
        "ranges": ["suggest_ranges"],
        "sweep_callback": ["SweepCallback"],
        "sweeps": ["Sweep", "regret", "sweep"],
    },
)
