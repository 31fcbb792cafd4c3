"""The deep factorised density in float64 NumPy, from which tables are built."""

import numpy as np


class FactorizedCumulative:
    """The cumulatives of the channels of a `DeepFactorizedPrior`.

    Args:
        matrices: list of float arrays [C, width out, width in], before the softplus.
        biases: list of float arrays [C, width out, 1].
        factors: list of float arrays [C, width out, 1], before the tanh; none for the
            last layer.
    """

    def __init__(self, matrices, biases, factors):
        self.matrices = [np.logaddexp(0, m.astype("float64")) for m in matrices]
        self.biases = [b.astype("float64") for b in biases]
        self.factors = [np.tanh(f.astype("float64")) for f in factors]
        self.channels = len(self.biases[0])

    def logits(self, x):
        """Logits of the cumulatives at points x, float64 [N, C] to [N, C]."""
        logits = x.T[:, None, :]
        for i, (matrix, bias) in enumerate(
            zip(self.matrices, self.biases, strict=True)
        ):
            logits = matrix @ logits + bias
            if i < len(self.factors):
                logits = logits + self.factors[i] * np.tanh(logits)
        return logits[:, 0, :].T

    def mass(self, lower, upper):
        """Probabilities of the intervals between points, each float64 [N, C]."""
        lower, upper = self.logits(lower), self.logits(upper)
        sign = np.where(lower + upper > 0, -1.0, 1.0)
        # Logits beyond 700 only differ in probabilities that vanish anyway.
        upper, lower = np.clip([sign * upper, sign * lower], -700, 700)
        return sign * (1 / (1 + np.exp(-upper)) - 1 / (1 + np.exp(-lower)))

    def quantile(self, logit):
        """Where the logits of the cumulatives reach a number, float64 [C]."""
        low, high = np.full((2, 1, self.channels), [[[-1.0]], [[1.0]]])
        while np.any(outside := self.logits(low) > logit):
            low = np.where(outside, 2 * low, low)
        while np.any(outside := self.logits(high) < logit):
            high = np.where(outside, 2 * high, high)
        for _ in range(100):
            middle = (low + high) / 2
            above = self.logits(middle) > logit
            low, high = np.where(above, low, middle), np.where(above, middle, high)
        return ((low + high) / 2)[0]
