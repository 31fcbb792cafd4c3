"""Recipes and the engine that runs them, resumable at any step."""

import lazy_loader

from yoto_tf.former_names import former

_attribute, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "engine": ["train"],
        "recipe": ["Recipe", "option", "override"],
        "schedules": ["WarmupStableDecay"],
    },
)


def __getattr__(name):
    """In 0.1 this was the module of `LossConditionalModel`."""
    return _attribute(name) if name in __all__ else former(__name__, name)
