"""What was measured on a released model: `measured.json` in its folder.

    [{"metric": "BD-rate against JPEG 4:2:0", "value": -37.7, "unit": "%",
      "data": "Kodak"}, …]

It is read without NumPy or Keras, and is no part of what a release's id is made of: as
with the card, a later measurement makes no other model.
"""

import dataclasses
import json
import math

FILE = "measured.json"
_MOST = 100


@dataclasses.dataclass(frozen=True)
class Measurement:
    """A figure.

    Attributes:
        metric: what was measured, with the setting of the dial where it has one.
        value: finite number.
        unit: such as "%" or "nats"; empty for a number without one.
        data: what it was measured on.
    """

    metric: str
    value: float
    unit: str
    data: str

    def __str__(self):
        number = f"{self.value:,.10g}".replace("-", "−")
        unit = self.unit and f" {self.unit}"
        return f"{self.data}, {self.metric}: {number}{unit}"


def pack(measurements):
    """The content of the file, UTF-8."""
    entries = [dataclasses.asdict(entry) for entry in measurements]
    return (json.dumps(entries, indent=2, ensure_ascii=False) + "\n").encode()


def parse(text):
    """A tuple of the `Measurement`s in the file.

    Raises:
        ValueError, TypeError: something else, or more than 100.
    """
    entries = json.loads(text)
    if not isinstance(entries, list) or len(entries) > _MOST:
        raise ValueError(f"{FILE} is no list of at most {_MOST} measurements")
    measurements = tuple(Measurement(**entry) for entry in entries)
    for entry in measurements:
        words = (entry.metric, entry.unit, entry.data)
        is_number = type(entry.value) in (int, float) and math.isfinite(entry.value)
        if not is_number or not all(isinstance(word, str) for word in words):
            raise ValueError(f"{FILE} has {entry!r}, expected a number and texts")
    return measurements
