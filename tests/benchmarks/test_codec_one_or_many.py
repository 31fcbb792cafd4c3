import json

from codec_one_or_many import known_widths, released, scaled

from yoto_tf import zoo
from yoto_tf.training import engine
from yoto_tf.zoo.codec import Codec
from yoto_tf.zoo.codec.recipe import CodecRecipe

RECIPE = CodecRecipe(
    steps=2,
    batch_size=1,
    learning_rate=1e-4,
    filters=(4, 8, 12, 16),
    hyper_filters=6,
    precision="float32",
)


def test_width_scales_all_channels():
    half = scaled(RECIPE, 0.5)
    assert (half.filters, half.hyper_filters) == ((2, 4, 6, 8), 3)
    assert scaled(RECIPE, 1) == RECIPE
    assert scaled(RECIPE, 0.01).filters == (1, 1, 1, 1)


def test_release_is_written_once(tmp_path, monkeypatch):
    trainings = []

    def train(recipe, data, workdir, **options):
        trainings.append((workdir, options))
        model = recipe.build()
        model.network.build(None)
        return engine.TrainingResult(model, recipe.steps, 1.0, finished=True)

    monkeypatch.setattr(engine, "train", train)
    first = released(RECIPE, tmp_path)
    assert trainings == [(tmp_path, {"resume": True})]
    again = released(RECIPE, tmp_path)
    assert len(trainings) == 1
    assert isinstance(again, Codec)
    assert again.model_id == first.model_id
    assert zoo.load(tmp_path / "release").model_id == first.model_id


def test_known_results_are_kept(tmp_path):
    path = tmp_path / "results.json"
    described = {"recipe": "codec/small", "steps": 6000}
    assert known_widths(path, described) == {}
    path.write_text(json.dumps({**described, "widths": {"0.5": {"one": 1}}}))
    assert known_widths(path, described) == {0.5: {"one": 1}}
    assert known_widths(path, {**described, "steps": 7000}) == {}
