"""The learning rate over a training."""

import math

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="yoto_tf")
class WarmupStableDecay(keras.optimizers.schedules.LearningRateSchedule):
    """Linear warm-up, a constant rate, then a cosine decay to zero.

    With `w = warmup_steps` and `d = decay_fraction · steps`, step `s` gets

        peak · min(1, (s + 1) / w, sin²(π/2 · clip((steps − s) / d, 0, 1))),

    so the first step already moves, step `w − 1` is the first at the peak, and the rate
    is zero from step `steps` on. Where warm-up and decay overlap the smaller one holds:
    a training cut to a few steps keeps its shape.

    The schedule is the one of Hu et al. (2024), arXiv:2404.06395: unlike a cosine over
    the whole training, the constant part does not depend on when the training ends, so
    a longer one can carry on from any checkpoint before the decay.

    Args:
        peak: the largest rate, above 0.
        steps: steps of the whole training, at least 1.
        warmup_steps: steps of the warm-up, at least 0.
        decay_fraction: share of `steps`, in [0, 1], over which the rate falls.
    """

    def __init__(self, peak, steps, warmup_steps=0, decay_fraction=0.0):
        super().__init__()
        if not peak > 0:
            raise ValueError(f"peak must be above 0, got peak={peak}")
        if steps < 1:
            raise ValueError(f"steps must be at least 1, got steps={steps}")
        if warmup_steps < 0:
            raise ValueError(f"warmup_steps must not be negative, got {warmup_steps}")
        if not 0 <= decay_fraction <= 1:
            raise ValueError(f"decay_fraction must lie in [0, 1], got {decay_fraction}")
        self.peak = peak
        self.steps = steps
        self.warmup_steps = warmup_steps
        self.decay_fraction = decay_fraction

    def __call__(self, step):
        step = ops.cast(step, "float32")
        left = ops.clip((self.steps - step) / self.steps, 0.0, 1.0)
        return self.rate(step, left)

    def rate(self, step, left):
        """The rate at a step of a training that ends by the clock, not by steps.

        Args:
            step: steps taken, for the warm-up; a number or float32 tensor.
            left: share of the training that is left, in [0, 1].
        """
        step, left = ops.cast(step, "float32"), ops.cast(left, "float32")
        decay_left = ops.clip(left / max(self.decay_fraction, 1e-9), 0.0, 1.0)
        decay = ops.square(ops.sin(0.5 * math.pi * decay_left))
        warmup = (step + 1.0) / max(self.warmup_steps, 1)
        return self.peak * ops.minimum(ops.minimum(warmup, decay), 1.0)

    def get_config(self):
        return {
            "peak": self.peak,
            "steps": self.steps,
            "warmup_steps": self.warmup_steps,
            "decay_fraction": self.decay_fraction,
        }
