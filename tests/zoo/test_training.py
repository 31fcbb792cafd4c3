import dataclasses
import time
from pathlib import Path

import pytest

from yoto_tf import zoo
from yoto_tf.errors import RecipeError
from yoto_tf.zoo import release as releases
from yoto_tf.zoo.recipes import load_recipe

LINE = Path(__file__).parents[1] / "least_squares_recipe.py"


@pytest.fixture
def recipe():
    line = load_recipe(LINE)

    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Released(type(line)):
        def build(self):
            model = super().build()
            model.network = None
            return model

        def release(self, model, directory):
            directory.mkdir()
            card = f"{self.steps} steps, {model.count_params()} parameters.\n"
            (directory / "README.md").write_text(card, encoding="utf-8")

    return Released(steps=3, batch_size=4, learning_rate=0.01)


def test_one_call_trains_and_releases(recipe, tmp_path):
    result = zoo.train(recipe, workdir=tmp_path, steps=2)
    assert (result.step, result.finished) == (2, True)
    card = (tmp_path / "release" / "README.md").read_text(encoding="utf-8")
    assert card == "2 steps, 49 parameters.\n"


def test_the_card_says_where_a_training_began(
    recipe, release_folder, untrained_codec, tmp_path, monkeypatch
):
    monkeypatch.setattr(releases, "start_from", lambda network, release: None)
    zoo.train(recipe, workdir=tmp_path, start=str(release_folder))
    card = (tmp_path / "release" / "README.md").read_text(encoding="utf-8")
    assert card.endswith(
        f"\nThe training began from {release_folder}, model "
        f"{untrained_codec.model_id.hex()}.\n"
    )


def test_what_is_trained_on_is_not_overwritten(recipe, tmp_path):
    with pytest.raises(RecipeError, match="expected another workdir"):
        zoo.train(recipe, workdir=tmp_path, start=tmp_path / "release")


def test_a_recipe_by_name_has_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert zoo.train(LINE, steps=3).step == 3
    assert Path("runs/least_squares_recipe/checkpoints").is_dir()
    with pytest.raises(RecipeError, match="needs workdir"):
        zoo.train(load_recipe(LINE))


def test_a_recipe_can_decide_what_it_starts_from(tmp_path):
    recipe = dataclasses.replace(load_recipe("stylization/new_style"), styles="none")
    with pytest.raises(RecipeError, match="no pretrained model or directory 'absent'"):
        zoo.train(recipe, str(tmp_path), tmp_path / "work", start="absent")


def test_minutes_include_the_start_and_the_release(recipe, tmp_path):
    written = []

    class Slow(type(recipe)):
        def release(self, model, directory):
            written.append(directory)
            time.sleep(1.0)
            super().release(model, directory)

    slow = Slow(**{**vars(recipe), "minutes": 0.15})
    result = zoo.train(slow, workdir=tmp_path, started=time.monotonic() - 3)
    assert result.finished
    # Written somewhere else before the first step, to learn how long it takes.
    assert len(written) == 2
    assert written[1] == tmp_path / "release"
    assert written[1].is_dir()
    assert not written[0].exists()
    # 9 seconds: 3 were over, and 1 at the end is the release's. A busy machine may take
    # long over its last step.
    assert 7.5 < result.seconds < 8 + 120
