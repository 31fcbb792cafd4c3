"""Tells a model how far its training is, for annealed laws."""

import inspect

import keras

# The share of the training between two updates: each costs as much as a small step.
_SHARE = 0.01


class ProgressCallback(keras.callbacks.Callback):
    """Sets `model.progress`, from 0 to 1, while `fit` runs.

    Args:
        share: function that returns the share of the training that is over; None to
            count the epochs of `fit`, and their steps where Keras knows how many there
            are.
    """

    def __init__(self, share=None):
        super().__init__()
        self._share = share or self._of_epochs
        self._epoch = self._batch = 0

    def on_train_begin(self, logs=None):
        self._tell(self._share())

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch, self._batch = epoch, 0
        self._tell(self._share())

    def on_train_batch_end(self, batch, logs=None):
        self._batch = batch + 1
        share = self._share()
        if share - self._told >= _SHARE:
            self._tell(share)

    def close(self):
        """Does nothing: this callback holds no file."""

    def _of_epochs(self):
        steps = self.params.get("steps")
        part = self._batch / steps if steps else 0.0
        return (self._epoch + part) / self.params["epochs"]

    def _tell(self, share):
        if hasattr(self.model, "jax_state_sync"):
            # On JAX steps run on a copy of the variables. It is written back here, and
            # read anew by the next step.
            self.model.jax_state_sync()
        self.model.progress.assign(share)
        self._told = share


def with_progress(method, args, kwargs):
    """The arguments of a `fit`, with a `ProgressCallback` among its callbacks.

    Args:
        method: Keras' `fit`.
        args, kwargs: what it is to be called with.

    Returns:
        The arguments and keyword arguments.
    """
    bound = inspect.signature(method).bind(*args, **kwargs)
    callbacks = bound.arguments.get("callbacks")
    if isinstance(callbacks, keras.callbacks.CallbackList):
        if not any(isinstance(each, ProgressCallback) for each in callbacks.callbacks):
            callbacks.append(ProgressCallback())
    else:
        given = callbacks or []
        given = given if isinstance(given, (list, tuple)) else [given]
        bound.arguments["callbacks"] = [*given, ProgressCallback()]
    return bound.args, bound.kwargs
