import numpy as np
import pytest

from yoto_tf.zoo.stylization.network.style_table import mixture

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("weights", "shares"),
    [
        ([1, 0, 0, 0], [1, 0, 0, 0]),
        ([2, 6, 0, 0], [0.25, 0.75, 0, 0]),
        ([1e-3, 3e-3, 0, 0], [0.25, 0.75, 0, 0]),
        # What a server may be sent
        ([3e38] * 4, [0.25] * 4),
        ([INF, 1, 0, 0], [1, 0, 0, 0]),
        ([NAN, 1, -3, -INF], [0, 1, 0, 0]),
        ([0, 0, 0, 0], [0.25] * 4),
        ([NAN] * 4, [0.25] * 4),
        ([-1, -2, 0, 0], [0.25] * 4),
    ],
)
def test_shares(weights, shares):
    found = mixture(np.array([weights], "float32"))
    np.testing.assert_allclose(np.asarray(found), [shares], atol=1e-6)
