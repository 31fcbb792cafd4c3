"""Pictures to bytes and back by integers alone: no network, and no Keras.

The rest of the codec uses `picture.encode_picture` and `picture.decode_picture`.
"""
