import io

import pytest

from yoto_tf.training import precision


@pytest.fixture
def flags(monkeypatch):
    """Makes /proc/cpuinfo say what the processor has, and hides accelerators."""
    import tensorflow as tf

    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind=None: [])

    def say(text):
        def opened(path, **kwargs):
            assert path == "/proc/cpuinfo"
            if text is None:
                raise FileNotFoundError(path)
            return io.StringIO(text)

        monkeypatch.setattr(precision, "open", opened, raising=False)

    return say


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_a_named_policy_is_taken(policy):
    assert precision.supported_precision(policy) == policy


@pytest.mark.parametrize(
    ("cpuinfo", "policy"),
    [
        ("model : x\nflags\t\t: fpu avx512f avx512_bf16 sse\n", "mixed_bfloat16"),
        ("flags\t\t: fpu amx_bf16\n", "mixed_bfloat16"),
        ("flags\t\t: fpu avx512f\n", "float32"),
        ("Features : asimd\n", "float32"),
        (None, "float32"),
    ],
)
def test_auto_follows_the_processor(flags, cpuinfo, policy):
    flags(cpuinfo)
    assert precision.supported_precision("auto") == policy
