from yoto_tf.imaging.metrics import psnr


def test_untrained_codec_reconstructs_a_photograph(untrained_codec, photograph):
    qualities = [
        psnr(photograph, untrained_codec.reconstruct(photograph, quality=quality))
        for quality in (0.0, 0.5, 1.0)
    ]
    assert qualities[-1] > 28
    assert qualities == sorted(qualities)
    # The gains make λ a real dial before any training.
    assert qualities[-1] - qualities[0] > 2


def test_untrained_codec_spends_bits_where_they_count(untrained_codec, photograph):
    image = photograph[:256, :256]
    raw = image.size
    low, high = (len(untrained_codec.compress(image, quality=q)) for q in (0.0, 1.0))
    assert low < raw / 30
    assert 2 * low < high < raw / 4
