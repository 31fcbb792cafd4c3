import pytest

from yoto_tf import zoo
from yoto_tf.errors import RecipeError
from yoto_tf.zoo.codec import Codec
from yoto_tf.zoo.stylization import Stylizer
from yoto_tf.zoo.vae import VAE

CLASSES = (Codec, Stylizer, VAE)


@pytest.mark.parametrize("cls", CLASSES)
def test_each_family_loads_its_presets_and_saves_them(cls, tmp_path):
    presets = cls.presets
    assert presets
    assert all(summary.family == cls.family for summary in presets.values())
    name = min(presets, key=lambda name: presets[name].bytes)
    model = cls.from_preset(name, precision="mixed_bfloat16")
    assert type(model) is cls
    assert model.release.id == presets[name].id
    assert model.model.dtype_policy.name == "mixed_bfloat16"
    model.save_to_preset(tmp_path)
    assert cls.from_preset(tmp_path).release.id == model.release.id


def test_every_pretrained_model_is_a_preset_of_one_class():
    presets = [name for cls in CLASSES for name in cls.presets]
    assert sorted(presets) == sorted(zoo.names())


def test_preset_of_another_family():
    with pytest.raises(RecipeError, match="vae-mnist is of the family vae, expected a"):
        Codec.from_preset("vae-mnist")


def test_preset_that_is_not_there():
    with pytest.raises(
        RecipeError, match="no pretrained model or directory 'vae-mnis'"
    ):
        VAE.from_preset("vae-mnis")
