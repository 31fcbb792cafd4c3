"""The network that `condition` returns."""

import keras


@keras.saving.register_keras_serializable(package="yoto_tf")
class ConditionalNetwork(keras.Model):
    """A functional model that takes coefficients beside its other inputs.

    Its input is a dict, `"coefficients"` [B, K] and the others by their names; where
    there is only one other, it is taken under any name. A row of coefficients alone,
    [1, K], is for all examples of the batch.
    """

    def __call__(self, inputs, *args, **kwargs):
        return super().__call__(self._by_name(inputs), *args, **kwargs)

    def call(self, inputs, training=None, mask=None):
        # On JAX a training step comes here without passing through __call__.
        return super().call(self._by_name(inputs), training=training, mask=mask)

    def _by_name(self, inputs):
        names = set(self.input) - {"coefficients"}
        if len(names) > 1 or not isinstance(inputs, dict) or len(inputs) != 2:
            return inputs
        found = {
            name if name == "coefficients" else names.copy().pop(): tensor
            for name, tensor in inputs.items()
        }
        return found if len(found) == 2 else inputs
