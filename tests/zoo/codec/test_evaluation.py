import json

import numpy as np
import pytest

from yoto_tf.data import read_image, write_image
from yoto_tf.errors import DataError
from yoto_tf.imaging.metrics import ms_ssim, psnr
from yoto_tf.zoo.codec.evaluation import Evaluation, evaluate


@pytest.fixture(scope="module")
def pictures(tmp_path_factory, photograph):
    folder = tmp_path_factory.mktemp("pictures")
    write_image(folder / "a.png", photograph[100:300, 100:280])
    write_image(folder / "b.png", photograph[300:500, 200:370])
    return folder


@pytest.fixture(scope="module")
def evaluation(untrained_codec, pictures):
    return evaluate(untrained_codec, pictures, "mine", settings=3)


def test_numbers_are_those_of_the_files(evaluation, untrained_codec, pictures):
    assert [image["name"] for image in evaluation.images] == ["a.png", "b.png"]
    image = read_image(pictures / "b.png")
    point = evaluation.images[1]["points"][1]
    assert point["distortion"] == pytest.approx(0.018)
    data = untrained_codec.compress(image, distortion=point["distortion"])
    decoded = untrained_codec.decompress(data)
    assert point["bytes"] == len(data)
    assert point["bits_per_pixel"] == 8 * len(data) / (200 * 170)
    assert point["psnr"] == psnr(image, decoded)
    assert point["ms_ssim"] == ms_ssim(image, decoded)


def test_mean_counts_every_picture_the_same(evaluation):
    for name in ("bits_per_pixel", "psnr", "ms_ssim"):
        values = [image["points"][0][name] for image in evaluation.images]
        assert evaluation.mean[0][name] == pytest.approx(np.mean(values))
    assert [point["distortion"] for point in evaluation.mean] == pytest.approx(
        [0.0018, 0.018, 0.18]
    )


def test_small_picture_has_no_ms_ssim(untrained_codec, tmp_path, photograph):
    write_image(tmp_path / "a.png", photograph[:30, :40])
    evaluation = evaluate(untrained_codec, tmp_path, settings=2)
    assert [point["ms_ssim"] for point in evaluation.mean] == [None, None]
    assert evaluation.table()[1][-1] == "–"
    evaluation.plot(tmp_path / "plot.png")


def test_lossless_picture_has_no_psnr():
    point = {"distortion": 0.1, "bytes": 50, "bits_per_pixel": 0.1, "ms_ssim": 1.0}
    images = [
        {"name": "a", "points": [{**point, "psnr": None}]},
        {"name": "b", "points": [{**point, "psnr": 40.0}]},
    ]
    assert Evaluation("m", "d", images).mean[0]["psnr"] is None


def test_json_and_table(evaluation):
    again = json.loads(json.dumps(evaluation.to_dict(), allow_nan=False))
    assert (again["model"], len(again["images"]), len(again["mean"])) == ("mine", 2, 3)
    head, *rows = evaluation.table()
    assert head[2] == "bits/pixel"
    assert [float(row[2]) for row in rows] == pytest.approx(
        [point["bits_per_pixel"] for point in evaluation.mean], abs=1e-4
    )


@pytest.mark.parametrize(
    ("name", "start"), [("plot.png", b"\x89PNG"), ("plot.svg", b"<?xml")]
)
def test_plot_is_written_as_its_suffix_says(evaluation, tmp_path, name, start):
    evaluation.plot(tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(start)
    with pytest.raises(DataError, match="cannot write"):
        evaluation.plot(tmp_path / "none" / name)


def test_no_pictures(untrained_codec, tmp_path):
    with pytest.raises(DataError, match="no pictures"):
        evaluate(untrained_codec, tmp_path)
