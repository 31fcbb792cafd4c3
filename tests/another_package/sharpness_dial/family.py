from yoto_tf.zoo.families import Family

FAMILY = Family(
    name="sharpness",
    noun="upscaler",
    package="sharpness_dial",
    networks="sharpness_dial:REGISTERED_NAMES",
    model="sharpness_dial.upscaler:Upscaler",
    export="sharpness_dial.export:describe",
    requests="sharpness_dial.requests:UpscalerRequests",
    hub_task="image-super-resolution",
)
