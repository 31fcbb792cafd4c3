"""A family of another package: super-resolution with a dial for sharpness."""

REGISTERED_NAMES = ("sharpness_dial>UpscalingNetwork",)
