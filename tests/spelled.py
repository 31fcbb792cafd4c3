"""Results of `benchmarks/`, and how the README and the guides spell them."""

import json
from pathlib import Path

RESULTS = Path(__file__).parent.parent / "benchmarks" / "results"


def results(name):
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8"))


def signed(number, digits=1):
    return f"{number:+.{digits}f}".replace("-", "−")


def number(value, digits=1):
    """Without a plus, and with thousands separated."""
    return f"{value:,.{digits}f}".replace("-", "−")


def percent(ratio):
    """By how much a ratio is above one."""
    text = number(100 * (ratio - 1))
    return text.replace("−0.0", "0.0")


def row(*cells):
    return f"| {' | '.join(cells)} |"
