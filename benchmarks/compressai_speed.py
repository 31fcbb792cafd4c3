"""CompressAI's codecs against the clock; `codec_speed.py` runs it where they are.

    python compressai_speed.py PICTURE.npy THREADS

For every line on standard input, the name of a model, it encodes and decodes the
picture once and answers with a line of JSON: seconds and bytes. The weights are not
trained: the arithmetic takes as long, and fewer bits are coded than by a trained model.
"""

import json
import sys
import time
from unittest.mock import MagicMock

import numpy as np
import torch

# What CompressAI imports beside its models: torchvision, which wants the PyTorch it was
# compiled with, and packages for point clouds and for training.
UNUSED = (
    "compressai.datasets",
    "compressai.losses",
    "compressai.transforms",
    "torch_geometric",
    "torch_geometric.transforms",
    "torchvision",
    "torchvision.transforms",
)


def networks():
    """{name: untrained network} of 128 filters and 192 latent channels."""
    sys.modules.update({name: MagicMock() for name in UNUSED})
    from compressai.zoo import bmshj2018_hyperprior, mbt2018_mean

    result = {
        "bmshj2018-hyperprior": bmshj2018_hyperprior(quality=1, pretrained=False),
        "mbt2018-mean": mbt2018_mean(quality=1, pretrained=False),
    }
    for network in result.values():
        network.eval()
        network.update()
    return result


def measured(network, image):
    """Seconds to encode and to decode uint8 [H, W, 3], as our codec does."""
    began = time.perf_counter()
    pixels = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255
    encoded = network.compress(pixels)
    middle = time.perf_counter()
    decoded = network.decompress(**encoded)["x_hat"]
    pixels = (decoded[0].permute(1, 2, 0) * 255).round().clamp(0, 255).byte().numpy()
    end = time.perf_counter()
    assert pixels.shape == image.shape
    num_bytes = sum(len(strings[0]) for strings in encoded["strings"])
    return {"encode": middle - began, "decode": end - middle, "bytes": num_bytes}


def main():
    image = np.load(sys.argv[1])
    torch.set_num_threads(int(sys.argv[2]))
    by_name = networks()
    with torch.inference_mode():
        for line in sys.stdin:
            print(json.dumps(measured(by_name[line.strip()], image)), flush=True)


if __name__ == "__main__":
    main()
