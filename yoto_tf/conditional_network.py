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

    def export(self, filepath, format="tf_saved_model", **kwargs):
        """Keras' `export`; refuses what would come out wrong, see `check_export`."""
        check_export()
        return super().export(filepath, format=format, **kwargs)

    def _by_name(self, inputs):
        names = [name for name in self.input if name != "coefficients"]
        if len(names) > 1 or not isinstance(inputs, dict) or len(inputs) != 2:
            return inputs
        # Neither key is "coefficients": Keras says what is missing.
        others = [key for key in inputs if key != "coefficients"]
        if len(others) > 1:
            return inputs
        return {
            names[0]: inputs[others[0]],
            "coefficients": inputs["coefficients"],
        }


def check_export():
    """Refuses to export on torch, where Keras loses inputs that have names.

    Raises:
        ValueError: the backend is torch.
    """
    if keras.backend.backend() == "torch":
        raise ValueError(
            "the torch backend would lose the input 'coefficients': save the network, "
            "load it on the TensorFlow or the JAX backend and export it there"
        )
