"""Pictures and data sets in, batches out; only TFDS needs TensorFlow."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "example_photograph": ["colosseum", "photograph"],
        "examples": ["Examples"],
        "images": ["image_files", "read_image", "write_image"],
        "own_files": ["own_pictures"],
        "patches": ["Patches", "random_patches"],
        "photographs": ["Photographs"],
        "shards": ["Shards"],
        "sources": ["images_from_tfds", "load_arrays"],
        "streamed_patches": ["StreamedPatches"],
    },
)
