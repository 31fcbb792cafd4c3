import json

import numpy as np
import pytest

from yoto_tf import zoo
from yoto_tf.zoo.vae.losses import gaussian_terms
from yoto_tf.zoo.vae.pictures import load_pictures


def test_terms_are_means_over_the_pictures(trained, recipe, tmp_path):
    _, directory = trained
    evaluation = zoo.evaluate(str(directory), recipe.data)
    assert evaluation.pictures == 48
    rows = evaluation.sweep.table()
    np.testing.assert_allclose(
        [row["kl_coefficient"] for row in rows], 2.0 ** np.arange(-3, 10), rtol=1e-5
    )
    images = load_pictures(recipe.data, recipe.image_shape).astype("float32") / 255
    vectors = np.full((48, 1), 512.0, "float32")
    outputs = zoo.load(directory).model({"image": images, "coefficients": vectors})
    terms = gaussian_terms({"image": images}, outputs)
    np.testing.assert_allclose(rows[-1]["kl"], np.mean(terms["kl"]), rtol=1e-3)
    total = 512 * rows[-1]["kl"] + rows[-1]["reconstruction"]
    assert rows[-1]["total"] == pytest.approx(total, rel=1e-6)

    head, *table = evaluation.table()
    assert len(head) == len(table[0])
    assert [row[0] for row in table[:4]] == ["0.125", "0.25", "0.5", "1"]
    for row, cells in zip(rows, table, strict=True):
        # A bound on −log p(x) that 16 samples make tighter than the two terms alone.
        assert row["importance_weighted"] < row["kl"] + row["reconstruction"] + 1
        assert 0 <= row["active_units"] <= 4
        assert cells[4] == str(row["active_units"])
    # The smallest β uses more latents than the largest.
    assert rows[0]["active_units"] > rows[-1]["active_units"]
    assert json.loads(json.dumps(evaluation.to_dict()))["pictures"] == 48
    evaluation.plot(tmp_path / "front.png")
    assert (tmp_path / "front.png").stat().st_size > 1000
