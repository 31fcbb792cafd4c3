"""Examples that an accelerator holds, and cuts where a step begins."""

import contextlib

import keras

# Steps of a call at least: no step has to wait for the processor.
STEPS_A_CALL = 10


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
    """Makes a model on JAX train on `ResidentPatches`.

    A call of its compiled training function cuts the examples of
    `model.steps_per_execution` batches and takes as many steps. Keras' own would come
    back to Python after each.

    Args:
        model: a Keras model, compiled with an optimizer and before its first step.
        cut: `ResidentPatches.cut`.
    """
    import jax

    def steps(state, photographs, cuts):
        leaves, structure = jax.tree.flatten(state)

        def step(leaves, cuts):
            inputs = cut({"photographs": photographs, "cuts": cuts})
            state = jax.tree.unflatten(structure, leaves)
            logs, state = model.train_step(state, (inputs,))
            return jax.tree.leaves(state), logs

        leaves, logs = jax.lax.scan(step, leaves, jax.numpy.stack(cuts))
        last = jax.tree.map(lambda values: values[-1], logs)
        return last, jax.tree.unflatten(structure, leaves)

    compiled = jax.jit(steps, donate_argnums=0)

    def train_function(state, iterator):
        inputs, *_ = next(iterator)
        cuts = [inputs["cuts"]]
        # Where the data ends there are fewer.
        with contextlib.suppress(StopIteration):
            while len(cuts) < model.steps_per_execution:
                cuts.append(next(iterator)[0]["cuts"])
        return compiled(state, inputs["photographs"], cuts)

    def make_train_function(force=False):
        model.train_function = train_function

    model.make_train_function = make_train_function


def _has_accelerator():
    if keras.backend.backend() != "jax":
        return False
    import jax

    return jax.default_backend() != "cpu"
