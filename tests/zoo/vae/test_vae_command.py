import json

from yoto_tf.cli import main
from yoto_tf.data import read_image


def test_sample(trained, tmp_path, capsys):
    target = tmp_path / "out.png"
    arguments = ["sample", str(target), "--model", str(trained[1]), "--json"]
    assert main([*arguments, "--rows", "3", "--number", "4"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [setting["kl"] for setting in report["settings"]] == [0.125, 8.0, 512.0]
    height, width, _ = read_image(target).shape
    assert height > 3 * 8
    assert width > 4 * 8
    assert main([*arguments[:-1], "--coefficients", "kl=4"]) == 0
    assert "64 pictures at 1 β" in capsys.readouterr().out


def test_reconstruct(trained, folder, tmp_path, capsys):
    target = tmp_path / "out.png"
    arguments = ["reconstruct", str(folder), str(target), "--model", str(trained[1])]
    assert main([*arguments, "--number", "5"]) == 0
    assert "5 pictures at 7 β" in capsys.readouterr().out
    assert read_image(target).shape[1] > 5 * 8


def test_ways_through_the_latents(trained, folder, tmp_path, capsys):
    model = ["--model", str(trained[1])]
    target = str(tmp_path / "out.gif")
    assert main(["sample", target, *model, "--traverse", "2", "--animate"]) == 0
    assert "12 pictures at 7 β" in capsys.readouterr().out
    way = ["--interpolate", "--coefficients", "kl=4", "--number", "6"]
    assert main(["reconstruct", str(folder), target, *model, *way]) == 0
    assert "6 pictures at 1 β" in capsys.readouterr().out


def test_bad_input_is_one_line(trained, tmp_path, capsys):
    model = ["--model", str(trained[1])]
    target = str(tmp_path / "out.png")
    for arguments, message in (
        (["sample", target, *model, "--coefficients", "kl=9999"], "outside its range"),
        (["sample", target, *model, "--coefficients", "beta=1"], "unknown coefficient"),
        (["sample", target, "--model", "vae-nowhere"], "no pretrained model"),
        (["reconstruct", str(tmp_path / "no"), target, *model], "no such file"),
    ):
        assert main(arguments) == 2
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())
