"""Which coefficients an example gets: random in training, repeatable in evaluation."""

import keras
import numpy as np
from keras import ops

# 4^4, so that with four coefficients the quarters of their ranges can meet in every
# combination. Powers of two keep a Sobol sequence balanced.
FIXED_VECTORS = 256


class ReplicaSeeds(keras.random.SeedGenerator):
    """A seed generator whose seeds differ from replica to replica.

    Keras mirrors the state of a generator, so that without this each replica of a
    `tf.distribute` strategy would draw what the others draw.
    """

    def __init__(self, seed=None, name="seed_generator", **kwargs):
        super().__init__(seed, name=name, **kwargs)

    def next(self, ordered=True):
        seed = super().next(ordered)
        replica, count = replica_of()
        if count == 1:
            return seed
        # Far apart: the generator goes on in steps of one.
        offset = ops.stack([ops.cast(replica, seed.dtype) * 7919, 0])
        return seed + ops.cast(offset, seed.dtype)


def replica_of():
    """(index of this replica, number of replicas); (0, 1) outside of a strategy."""
    if keras.backend.backend() != "tensorflow":
        return 0, 1
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return 0, 1
    return context.replica_id_in_sync_group, context.num_replicas_in_sync


def fixed_vectors(coefficients, count=FIXED_VECTORS):
    """`count` vectors [count, K] that cover the training distribution evenly.

    Each coefficient has one value in each of `count` parts of equal probability, and
    the beginning of the list covers the ranges too: a Sobol sequence.
    """
    from scipy.stats import qmc

    joint = coefficients.joint
    dimensions = len(coefficients) - (joint is not None)
    points = qmc.Sobol(dimensions, scramble=False).random(count) + 0.5 / count
    if joint is not None:
        return joint.at(points)
    laws = coefficients.independent.values()
    columns = [law.quantile(q) for law, q in zip(laws, points.T, strict=True)]
    return np.stack(columns, axis=-1).astype("float32")


def next_fixed(vectors, seed_generator, batch_size, one_vector=False):
    """The rows [B, K] of the next examples, from `vectors` [N, K], which are repeated.

    The generator's counter, which must have been set to zero before the first batch,
    says which batch it is.
    """
    batch = ops.cast(keras.random.SeedGenerator.next(seed_generator)[1], "int32")
    replica, count = replica_of()
    batch = batch * count + ops.cast(replica, "int32")
    rows = ops.arange(batch_size, dtype="int32")
    index = batch + 0 * rows if one_vector else batch * batch_size + rows
    return ops.take(ops.convert_to_tensor(vectors), index % len(vectors), axis=0)
