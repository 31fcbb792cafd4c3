"""Examples that an accelerator holds, and cuts where a step begins."""

import keras


def resident(data):
    """Data whose photographs the accelerator holds, or None.

    Args:
        data: batches; `Patches` has such a form. It is not used where JAX trains on the
            processor, nor on TensorFlow.
    """
    if not _has_accelerator() or not hasattr(data, "resident"):
        return None
    return data.resident()


def cut_in_step(model, cut):
    """Makes the compiled step of a model on JAX begin with a function of the inputs.

    Args:
        model: a Keras model, before its first step.
        cut: what makes examples of a batch, such as `ResidentPatches.cut`.
    """
    step = model.train_step

    def train_step(state, data):
        inputs, *others = data
        return step(state, (cut(inputs), *others))

    model.train_step = train_step


def _has_accelerator():
    if keras.backend.backend() != "jax":
        return False
    import jax

    return jax.default_backend() != "cpu"
