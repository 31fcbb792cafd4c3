"""A training's model on one device, and the same on several."""

import keras
import numpy as np

from yoto_tf.training import checkpoint
from yoto_tf.training.agreement import from_first


def compiled(recipe, inputs):
    """A new model of a recipe and its optimizer, built.

    Args:
        recipe: a `Recipe`.
        inputs: of a batch.
    """
    model = recipe.build()
    if not model.built:
        model(inputs)
    model.compile(optimizer=recipe.optimizer(), jit_compile=recipe.jit_compile)
    model.optimizer.build(model.trainable_variables)
    return model


def spread(placement, model, recipe, inputs):
    """A model as `model` of the first process is, on the devices of a placement."""
    state = from_first(checkpoint.to_arrays(model))
    with placement.scope():
        # The same values in all processes, whose examples differ.
        zeros = keras.tree.map_structure(lambda array: np.zeros_like(array), inputs)
        copy = compiled(recipe, zeros)
        checkpoint.assign(copy, state)
    return copy


def gathered(model, recipe, inputs):
    """A model as one on several devices is, on the usual device of this process."""
    state = checkpoint.to_arrays(model)
    copy = compiled(recipe, inputs)
    checkpoint.assign(copy, state)
    return copy
