"""Frames a second on the CPU, against the same network in plain PyTorch.

    python benchmarks/stylization_speed.py

Installs PyTorch into an environment of its own (`--environment`), runs both networks in
turns, so that both see the same machine, prints the ratios of the medians, and writes
`results/stylization_speed.json`. Last it stylises one large picture in a process of its
own and prints the memory that took. Nothing else should be running.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
import venv
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np

RESULTS = Path(__file__).parent / "results" / "stylization_speed.json"


# Modes of PyTorch's own doubling.
UPSAMPLING = {"nearest": "nearest", "linear": "bilinear"}


def pytorch_worker(width, blocks, upsampling):
    """Answers every size on standard input with the seconds that a frame took."""
    import torch
    from torch import nn

    def padded(before, after, size, stride=1):
        margin = nn.ReflectionPad2d(size // 2)
        return [margin, nn.Conv2d(before, after, size, stride)]

    def stage(before, after, size, stride=1, activate=True):
        normalization = nn.InstanceNorm2d(after, affine=True)
        layers = [*padded(before, after, size, stride), normalization]
        return nn.Sequential(*layers, *([nn.ReLU()] if activate else []))

    class Block(nn.Module):
        def __init__(self, channels):
            super().__init__()
            self.stages = nn.Sequential(
                stage(channels, channels, 3), stage(channels, channels, 3, 1, False)
            )

        def forward(self, features):
            return features + self.stages(features)

    low, middle, high = (round(width * count) for count in (32, 64, 128))
    network = nn.Sequential(
        stage(3, low, 9),
        stage(low, middle, 3, 2),
        stage(middle, high, 3, 2),
        *(Block(high) for _ in range(blocks)),
        nn.Upsample(scale_factor=2, mode=UPSAMPLING[upsampling]),
        stage(high, middle, 3),
        nn.Upsample(scale_factor=2, mode=UPSAMPLING[upsampling]),
        stage(middle, low, 3),
        *padded(low, 3, 9),
        nn.Conv2d(3, 3, 1),
        nn.Hardtanh(0.0, 1.0),
    ).eval()
    with torch.inference_mode():
        for line in sys.stdin:
            image = torch.rand(1, 3, int(line), int(line))
            began = time.perf_counter()
            network(image)
            print(time.perf_counter() - began, flush=True)


class PyTorch:
    """The worker in an environment of its own."""

    def __init__(self, environment, width, blocks, upsampling):
        python = environment / "bin" / "python"
        if not python.exists():
            venv.create(environment, with_pip=True)
        install = [python, "-m", "pip", "install", "--quiet", "torch", "numpy"]
        subprocess.run(install, check=True)
        worker = f"--pytorch-worker {width} {blocks} {upsampling}".split()
        self._process = subprocess.Popen(
            [python, __file__, *worker],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def seconds(self, size):
        """Seconds that one frame of size × size pixels takes."""
        print(size, file=self._process.stdin, flush=True)
        return float(self._process.stdout.readline())


class Ours:
    """The stylizer's network, called as `Stylizer.stylize` calls it."""

    def __init__(self, release, precision):
        from yoto_tf.zoo.stylization import Stylizer

        self._stylizer = Stylizer(release, precision)

    def seconds(self, size):
        """As for `PyTorch`."""
        image = np.random.default_rng(0).integers(0, 256, (size, size, 3))
        image = image.astype("uint8")
        began = time.perf_counter()
        # The network itself, at every size.
        self._stylizer.stylize(image, self._stylizer.styles[0], stroke=1)
        return time.perf_counter() - began


def release_of(model, width, blocks):
    """The release of a model, or of an untrained network where None is given."""
    from yoto_tf import Coefficients, LogUniform, zoo
    from yoto_tf.zoo.release import Release
    from yoto_tf.zoo.stylization import StyleNetwork

    if model:
        return zoo.release_of(model)
    names = ("content", "style_1", "style_2", "style_3", "style_4")
    coefficients = Coefficients(**dict.fromkeys(names, LogUniform(0.01, 1.0)))
    styles = [f"style_{number}" for number in range(16)]
    network = StyleNetwork(coefficients, styles, width, blocks, upsampling="linear")
    network.build(None)
    return Release.from_network("stylization", network)


def large_picture(release, precision, size):
    """Peak memory in GiB of this process after a picture of size × size pixels."""
    Ours(release, precision).seconds(size)
    # Kilobytes on Linux.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", help="default: an untrained network")
    parser.add_argument("--width", type=float, default=1.0, help="where untrained")
    parser.add_argument("--blocks", type=int, default=5, help="where untrained")
    parser.add_argument("--sizes", type=int, nargs="*", default=[256, 512, 1024])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--environment", type=Path, default=Path("runs/pytorch"))
    parser.add_argument("--large", type=int, default=4096)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--pytorch-worker", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--memory", metavar="PRECISION", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.pytorch_worker:
        width, blocks, upsampling = options.pytorch_worker
        pytorch_worker(float(width), int(blocks), upsampling)
        return
    release = release_of(options.model, options.width, options.blocks)
    if options.memory:
        print(large_picture(release, options.memory, options.large))
        return

    config = release.config["config"]
    # Stylizers of 0.1 do not say it.
    shape = config["width"], config["blocks"], config.get("upsampling", "nearest")
    networks = {
        "pytorch": PyTorch(options.environment, *shape),
        "float32": Ours(release, "float32"),
        "mixed_bfloat16": Ours(release, "mixed_bfloat16"),
    }
    described = dict(zip(("width", "blocks", "upsampling"), shape, strict=True))
    results = {**described, "frames": {}}
    for size in options.sizes:
        seconds = {name: [] for name in networks}
        for _ in range(options.rounds):
            for name, network in networks.items():
                # Frames that follow one another: at first the threads of the network
                # before still spin, waiting for work, and keep a core from this one.
                until = time.perf_counter() + 0.5
                while time.perf_counter() < until:
                    network.seconds(size)
                seconds[name] += [network.seconds(size) for _ in range(5)]
        medians = {name: statistics.median(times) for name, times in seconds.items()}
        results["frames"][size] = medians
        for name, median in medians.items():
            ratio = medians["pytorch"] / median
            print(f"{size:5} {name:15} {1 / median:7.2f} frames/s  ×{ratio:.2f}")
    results["gigabytes"] = {}
    for precision in ("float32", "mixed_bfloat16"):
        command = [sys.executable, __file__, "--memory", precision]
        command += ["--large", str(options.large), "--width", str(options.width)]
        command += ["--blocks", str(options.blocks)]
        command += ["--model", options.model] if options.model else []
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        results["gigabytes"][precision] = float(output.stdout.split()[-1])
        print(
            f"{options.large}² in {precision}: "
            f"{results['gigabytes'][precision]:.2f} GiB at the most"
        )
    options.results.parent.mkdir(parents=True, exist_ok=True)
    options.results.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
