"""Image compression: Ballé's codecs, conditioned on the rate-distortion trade-off."""

from yoto_tf.zoo.codec.codec import Codec
from yoto_tf.zoo.codec.hyperprior import Hyperprior

__all__ = ["Codec", "Hyperprior"]

Pretrained = Codec
