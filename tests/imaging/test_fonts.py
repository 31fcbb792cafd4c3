from yoto_tf.imaging.fonts import font


def test_a_font_has_the_size_asked_for_and_is_read_once():
    small, large = font(10), font(20)
    assert large.getlength("word") > 1.8 * small.getlength("word")
    assert font(10) is small
    assert small.getname() == ("DejaVu Sans", "Book")
