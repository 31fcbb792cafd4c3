"""The deviations for which there are tables: 0.11 · (256 / 0.11)^(index / 63)."""

import math

MIN_SCALE = 0.11
MAX_SCALE = 256.0
NUM_SCALES = 64
LOG_STEP = math.log(MAX_SCALE / MIN_SCALE) / (NUM_SCALES - 1)
