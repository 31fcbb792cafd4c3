"""Losses of `add_loss` and of regularisers, by names that coefficients can have."""

from keras import ops

from yoto_tf.errors import CoefficientError

# All weight regularisers of a model together.
REGULARIZERS = "regularizers"


def nameable(network):
    """The set of names that the losses of a network can have."""
    layers = network._flatten_layers()
    return {REGULARIZERS, *(layer.name for layer in layers)}


def names_of_own(model):
    """The name of the layer of each of `model.losses`, but for regularisers.

    To be called in `call`, where Keras collects the losses.
    """
    layers = [model, *model._flatten_layers(include_self=False)]
    return tuple(layer.name for layer in layers for _ in layer._get_own_losses())


def named(losses, names_of_own):
    """[(name, loss)] of `model.losses` or a list like it."""
    regularizers = [REGULARIZERS] * (len(losses) - len(names_of_own))
    return list(zip([*names_of_own, *regularizers], losses, strict=True))


def weighted(name, loss, weight):
    """A loss times its weight, [B] or a scalar.

    A regulariser is the same for every example of a batch, and is weighted by the mean
    of their weights. A loss that a layer adds needs one value an example: a single
    number cannot be divided among them.
    """
    if len(getattr(weight, "shape", ())) == 0:
        return loss * weight
    if name == REGULARIZERS:
        return loss * ops.mean(weight)
    if len(loss.shape) != 1:
        raise CoefficientError(
            f"what layer {name!r} passes to add_loss has shape {tuple(loss.shape)}, "
            "expected [batch] for each example to have its own coefficient (or "
            "draw='batch')"
        )
    return loss * weight


def rows(loss, batch_size):
    """A loss as [B] values; one number for a batch is repeated for each example."""
    loss = ops.cast(loss, "float32")
    return (
        loss if len(loss.shape) == 1 else ops.broadcast_to(ops.sum(loss), (batch_size,))
    )
