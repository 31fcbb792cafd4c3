"""What a file holds beside or in place of what the networks code.

The networks know photographs. What they get wrong by far, such as stripes of one pixel,
text or dither, is coded by `yoto_tf.zoo.codec.lossless` within a tolerance: the blocks
concerned, or the whole picture, whichever costs less.
"""
