import keras
import pytest

import yoto_tf as yoto


@pytest.mark.parametrize("format", ["tf_saved_model", "onnx"])
def test_export_is_refused_where_the_coefficients_would_get_lost(
    format, tmp_path, monkeypatch
):
    coefficients = yoto.Coefficients(out=yoto.Uniform(0.1, 1.0))
    x = keras.Input((3,), name="x")
    network = yoto.condition(
        keras.Model(x, keras.layers.Dense(1, name="out")(x)), coefficients, layers="out"
    )
    model = yoto.LossConditionalModel(network, coefficients=coefficients)
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    for exported in (network, model):
        with pytest.raises(ValueError, match="torch backend would lose the input"):
            exported.export(tmp_path / "exported", format=format)
    assert not list(tmp_path.iterdir())
