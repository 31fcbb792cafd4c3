"""Millions of pictures, through an engine that runs on many machines.

What is to be done with a picture is a task: `compression`, `decompression`,
`stylization` or `evaluation`. `convert_on_ray` does it with all that a folder, a glob
or a URL stands for; `BatchConverter` is for pipelines of one's own.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "batch_converter": ["BatchConverter"],
        "converter": ["Converter"],
        "evaluation": ["evaluate_on_ray"],
        "ray_engine": ["convert_on_ray"],
        "tasks.codec": ["compression", "decompression", "evaluation"],
        "tasks.stylization": ["stylization"],
    },
)
