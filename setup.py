"""Installs yoto_tf, its zoo (as yoto_tf.zoo) and its exporters (as yoto_tf.export)."""

import re
from pathlib import Path

from setuptools import find_packages, setup

# TensorFlow Compression's range coder is compiled against one minor version of
# TensorFlow: where its wheels exist (CPython 3.10 to 3.12) TensorFlow is pinned to it,
# elsewhere the current TensorFlow is taken. tf-keras is named because tensorflow-hub
# would otherwise pull a newer TensorFlow over the pinned one; tensorflow-metadata and
# importlib_resources because tensorflow-datasets fails to import without them.
WITH_TFC = 'python_version < "3.13"'
WITHOUT_TFC = 'python_version >= "3.13"'

# Gradio keeps Pillow below a major version: without a bound an old Gradio is taken.
WEB = ["gradio>=6"]
# The TensorFlow of the older Pythons wants an ml_dtypes that newer onnx cannot use.
ONNX = ["tf2onnx>=1.17", f"onnx<1.19; {WITH_TFC}", "onnxruntime"]
HUGGINGFACE = ["huggingface_hub>=0.34"]
# Newer ones need NumPy 2, which the TensorFlow of the older Pythons cannot use.
PYARROW = f"pyarrow<26; {WITH_TFC}"
# Ray Data with tasks and actors of their own.
RAY = ["ray[data]>=2.51", PYARROW]
SERVING = ["grpcio>=1.60", "protobuf>=3.20.3"]

URL = "https://github.com/yoto-tf/yoto_tf"


def description():
    """The README for a package index, where its relative links would lead nowhere."""
    text = Path("README.md").read_text(encoding="utf-8")
    text = re.sub(r"(!\[[^]]*\]\()(?!https?:)", rf"\1{URL}/raw/main/", text)
    text = re.sub(r"(\]\()#", rf"\1{URL}#", text)
    return re.sub(r"(\]\()(?!https?:)", rf"\1{URL}/blob/main/", text)


setup(
    name="yoto_tf",
    version="0.2.0",
    description="Train once on a distribution of loss coefficients, choose afterwards.",
    long_description=description(),
    long_description_content_type="text/markdown",
    url=URL,
    license="Apache-2.0",
    python_requires=">=3.10",
    packages=[
        *find_packages(include=["yoto_tf", "yoto_tf.*"]),
        *(f"yoto_tf.{package}" for package in find_packages(include=["zoo", "zoo.*"])),
        *(f"yoto_tf.{name}" for name in find_packages(include=["export", "export.*"])),
    ],
    package_dir={"yoto_tf.zoo": "zoo", "yoto_tf.export": "export"},
    package_data={
        "yoto_tf.zoo": ["*/released/*/*", "*/*.md"],
        "yoto_tf.data": ["pictures/*"],
        "yoto_tf.export.web": ["site/*/*", "site/*/*/*"],
    },
    install_requires=[
        "keras>=3.12",
        f"tensorflow~=2.17.1; {WITH_TFC}",
        f"tensorflow-compression-ops~=2.17.0; {WITH_TFC}",
        f"tf-keras~=2.17.0; {WITH_TFC}",
        f"tensorflow-metadata<1.17; {WITH_TFC}",
        f"tensorflow>=2.20; {WITHOUT_TFC}",
        f"tf-keras; {WITHOUT_TFC}",
        "tensorflow-hub>=0.16",
        # tensorflow-hub imports pkg_resources, which later ones no longer have.
        "setuptools<81",
        "tensorflow-datasets>=4.9",
        "importlib_resources",
        # Required by tensorflow-datasets; later ones need Python 3.11, which pip finds
        # out only after minutes of trying other packages.
        'etils<1.14; python_version < "3.11"',
        "lazy-loader>=0.5",
        "numpy",
        # Older ones have known holes in the decoders that are used here.
        "pillow>=12.3",
        "platformdirs>=3",
        "safetensors>=0.4.5",
        "scipy>=1.11",
        # Writes the scripts of `yoto completion`.
        "shtab>=1.6",
        "threadpoolctl>=3",
        "matplotlib>=3.8",
        "tqdm",
    ],
    extras_require={
        # The site: mkdocs build --strict, beside an installed package.
        "docs": ["mkdocs-material>=9.5", "mkdocstrings[python]>=0.26"],
        # HEIC, the pictures of phones.
        "heif": ["pillow-heif>=0.22"],
        "huggingface": HUGGINGFACE,
        "kaggle": ["kagglehub"],
        "onnx": ONNX,
        # Trainings whose folder or data is in a bucket, gs:// or s3://.
        "remote": ["fsspec[gcs,s3]>=2024.6"],
        # Millions of pictures on many machines.
        "ray": RAY,
        "serving": SERVING,
        # MP4 and other videos.
        "video": ["av>=12"],
        "web": WEB,
        "test": [
            "pytest>=8",
            "pytest-timeout>=2.3",
            "pytest-xdist>=3.5",
            "hypothesis>=6.100",
            "jax[cpu]",
            "av>=12",
            "fsspec>=2024.6",
            "pillow-heif>=0.22",
            "ruff>=0.6",
            *HUGGINGFACE,
            *ONNX,
            *SERVING,
            # The official messages, and a client that is not ours.
            f"tensorflow-serving-api~=2.17.1; {WITH_TFC}",
            f"tensorflow-serving-api>=2.20; {WITHOUT_TFC}",
            "ai-edge-litert",
            "ovmsclient",
            # The notebooks are run by the tests.
            "ipykernel",
            "ipywidgets",
            "jupytext",
            "nbclient",
            *WEB,
            # Data for the examples, and what `to_dataframe` makes.
            "scikit-learn",
            "pandas",
            # Without Ray, what needs no cluster is tested as well.
            PYARROW,
            "selenium>=4.20",
        ],
    },
    entry_points={"console_scripts": ["yoto=yoto_tf.cli:main"]},
    classifiers=[
        "License :: OSI Approved :: Apache Software License",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
)
