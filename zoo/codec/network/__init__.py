"""The codec's networks, in `keras.ops`: pictures to latents and back."""
