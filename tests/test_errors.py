import pytest

from yoto_tf.errors import CoefficientError, YotoError, printable


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("two\nlines\r\tand a tab", r"two\nlines\r\tand a tab"),
        ("\x9b2J", r"\x9b2J"),
        ("gpj\u202e.exe", r"gpj\u202e.exe"),
        ("half \udc80", r"half \udc80"),
        ("β – 500 × 300 Pixel … naïve 日本", "β – 500 × 300 Pixel … naïve 日本"),
    ],
)
def test_messages_steer_no_terminal(text, expected):
    assert printable(text) == expected
    assert str(YotoError(text)) == expected
    assert str(CoefficientError(text)) == expected
