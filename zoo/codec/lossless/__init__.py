"""Pictures to bytes and back by integers alone: no network, and no Keras.

`picture.encode_picture` and `picture.decode_picture` are what the rest of the codec uses.
"""
