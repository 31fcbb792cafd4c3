"""What a person starts to see it work: `yoto demo`, or `show()` in a notebook."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__, submod_attrs={"notebook": ["show"]}
)
