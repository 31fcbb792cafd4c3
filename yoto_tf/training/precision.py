"""Which dtype policy trains fastest on the processor at hand."""

import keras


def supported_precision(requested: str) -> str:
    """The dtype policy to train in.

    Args:
        requested: a Keras dtype policy, returned as it is, or `"auto"`: then
            `"mixed_bfloat16"` where the processor multiplies bfloat16 in hardware, and
            `"float32"` elsewhere.
    """
    if requested != "auto":
        return requested
    if keras.backend.backend() == "jax":
        native = _jax_has_bfloat16()
    else:
        native = _tensorflow_has_bfloat16()
    return "mixed_bfloat16" if native else "float32"


def _tensorflow_has_bfloat16():
    import tensorflow as tf

    if tf.config.list_physical_devices("TPU"):
        return True
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        details = tf.config.experimental.get_device_details(gpus[0])
        return details.get("compute_capability", (0, 0)) >= (8, 0)
    return _cpu_has_bfloat16()


def _jax_has_bfloat16():
    import jax

    device = jax.devices()[0]
    if device.platform == "gpu":
        major = str(getattr(device, "compute_capability", "0")).split(".")[0]
        return int(major) >= 8
    # XLA's CPU code converts every bfloat16 operand, which is slower than float32.
    return device.platform != "cpu"


def _cpu_has_bfloat16():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            flags = next((line for line in file if line.startswith("flags")), "")
    except OSError:
        return False
    return not {"avx512_bf16", "amx_bf16"}.isdisjoint(flags.split())
