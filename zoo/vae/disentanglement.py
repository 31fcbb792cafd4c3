"""Whether every factor of a picture has a latent of its own.

    MIG = mean over factors v of (I(z₁; v) − I(z₂; v)) / H(v)

where z₁ and z₂ are the two latents that tell most of v: the mutual information gap of
Chen et al., "Isolating Sources of Disentanglement in Variational Autoencoders", NeurIPS
2018. It is 1 where each factor has exactly one latent, and 0 where none has one or two
latents share it equally. As in Locatello et al., ICML 2019, the information is that of
a histogram of the latents.
"""

import dataclasses

import numpy as np

BINS = 20


@dataclasses.dataclass(frozen=True)
class Disentanglement:
    """How the latents share out the factors.

    Attributes:
        gap: the mutual information gap, 0 … 1.
        information: [D, K], of each latent and each factor in nats, less than 0.01 of
            which is the noise of a histogram of 10,000 examples.
        share: [K], for each factor the part of its entropy that its best latent tells.
    """

    gap: float
    information: np.ndarray
    share: np.ndarray


def disentanglement(latents, factors):
    """Measures what latents tell of factors.

    Args:
        latents: float [N, D], D ≥ 2: samples of the posterior rather than its means, so
            that a latent that is not used tells nothing.
        factors: int [N, K], the values of the factors, each ≥ 0 and not constant.

    Returns:
        A `Disentanglement`.
    """
    latents, factors = np.asarray(latents), np.asarray(factors)
    binned = np.stack([_bins(column) for column in latents.T])
    information = np.array(
        [[_information(codes, values) for values in factors.T] for codes in binned]
    )
    entropy = np.array([_information(values, values) for values in factors.T])
    second, first = np.sort(information, axis=0)[-2:]
    gap = np.mean((first - second) / entropy)
    return Disentanglement(float(gap), information, first / entropy)


def _bins(column):
    """The number of the bin of each value, bins being of equal width."""
    edges = np.linspace(column.min(), column.max(), BINS + 1)[1:-1]
    return np.digitize(column, edges)


def _information(first, second):
    """Mutual information of two columns of numbers ≥ 0, in nats."""
    counts = np.zeros((first.max() + 1, second.max() + 1))
    np.add.at(counts, (first, second), 1)
    joint = counts / counts.sum()
    independent = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
    some = joint > 0
    return float(np.sum(joint[some] * np.log(joint[some] / independent[some])))
