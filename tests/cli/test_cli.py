import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from yoto_tf import zoo
from yoto_tf.cli import main
from yoto_tf.data import read_image, write_image
from yoto_tf.training.checkpoint import steps
from yoto_tf.zoo.codec.coding.container import Container

LINE = Path(__file__).parents[1] / "least_squares_recipe.py"
SMALL = ["batch_size=2", "filters=4,4,4,6", "hyper_filters=4", "patch_size=64"]


@pytest.fixture
def here(tmp_path, monkeypatch, pretrained, photograph):
    """The current folder, with a picture and its compressed file."""
    monkeypatch.chdir(tmp_path)
    write_image("photo.png", photograph[200:260, 200:270])
    assert main(["compress", "photo.png", "photo.yoto"]) == 0
    return tmp_path


def files():
    return sorted(str(path) for path in Path().rglob("*") if path.is_file())


def test_compress_decompress(here, untrained_codec, capsys):
    assert main(["compress", "photo.png", "a.yoto", "--quality", "0.9"]) == 0
    data = Path("a.yoto").read_bytes()
    image = read_image("photo.png")
    assert data == untrained_codec.compress(image, quality=0.9)
    assert f"a.yoto: {len(data):,} bytes, " in capsys.readouterr().out
    assert main(["decompress", "a.yoto", "a.png"]) == 0
    np.testing.assert_array_equal(
        read_image("a.png"), untrained_codec.reconstruct(image, quality=0.9)
    )


def test_compress_by_coefficients_prints_json(here, capsys):
    command = "compress photo.png a.yoto --coefficients distortion=0.1 --json"
    capsys.readouterr()
    assert main(command.split()) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["files"][0]["coefficients"] == {"distortion": 0.1}
    assert printed["files"][0]["bytes"] == Path("a.yoto").stat().st_size
    assert printed["failed"] == []


def test_compress_to_a_target(here, capsys):
    assert main(["compress", "photo.png", "a.yoto", "--quality", "0.6"]) == 0
    size = Path("a.yoto").stat().st_size + 5
    assert main(["compress", "photo.png", "b.yoto", "--target-size", str(size)]) == 0
    assert 0.99 * size - 1 <= Path("b.yoto").stat().st_size <= size


def test_info(here, untrained_codec, capsys):
    capsys.readouterr()
    assert main(["info", "photo.yoto", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert (printed["model"], printed["width"], printed["height"]) == ("codec", 70, 60)
    assert printed["coefficients"] == {"distortion": 0.018}
    assert printed["bytes"] == Path("photo.yoto").stat().st_size
    assert main(["info", "photo.yoto"]) == 0
    text = capsys.readouterr().out
    for part in ("70 × 60", "codec", untrained_codec.model_id.hex(), "0.018"):
        assert part in text


def test_names_of_a_model_steer_no_terminal(monkeypatch, capsys):
    from yoto_tf.zoo.stylization import styles

    monkeypatch.setattr(styles, "style_names", lambda model: ["udnie", "\x1b]0;evil\a"])
    assert main(["list", "--styles"]) == 0
    assert capsys.readouterr().out == "udnie\n\\x1b]0;evil\\x07\n"


def test_list(pretrained, untrained_codec, capsys):
    assert main(["list", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == {
        "codec": {
            "family": "codec",
            "id": untrained_codec.model_id.hex(),
            "coefficients": {"distortion": {"low": 0.0018, "high": 0.18}},
            "bytes": sum(path.stat().st_size for path in pretrained.iterdir()),
            "headline": "Nobody trained it.",
            "measured": [],
        }
    }
    assert main(["list"]) == 0
    text = capsys.readouterr().out
    assert "codec" in text
    assert "distortion 0.0018 … 0.18" in text
    assert re.search(r"; \d+\.\d MB\)\n", text)


def test_list_shows_what_was_measured(pretrained, tmp_path, monkeypatch, capsys):
    folder = shutil.copytree(pretrained, tmp_path / "copy")
    figure = {"metric": "PSNR", "value": -37.25, "unit": "dB", "data": "Kodak"}
    (folder / "measured.json").write_text(json.dumps([figure]))
    monkeypatch.setattr("yoto_tf.zoo.names", lambda: {"codec": folder})
    assert main(["list"]) == 0
    assert "    Kodak, PSNR: −37.25 dB\n" in capsys.readouterr().out
    assert main(["list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["codec"]["measured"] == [figure]


def test_folder_with_a_bad_file(here, capsys):
    Path("photos").mkdir()
    shutil.copy("photo.png", "photos/a.png")
    Path("photos/bad.jpg").write_bytes(b"\xff\xd8\xff no picture")
    capsys.readouterr()
    assert main(["compress", "photos", "small"]) == 1
    printed = capsys.readouterr()
    assert "small/a.yoto: " in printed.out
    first, second = printed.err.splitlines()
    assert first.startswith("yoto: cannot read photos/bad.jpg")
    assert second == "yoto: 1 of 2 files failed"
    assert main(["decompress", "small", "back"]) == 0
    assert files() == [
        "back/a.png",
        "photo.png",
        "photo.yoto",
        "photos/a.png",
        "photos/bad.jpg",
        "small/a.yoto",
    ]


def test_evaluate(here, capsys, photograph):
    Path("photos").mkdir()
    write_image("photos/a.png", photograph[:170, :180])
    capsys.readouterr()
    command = "evaluate codec --data photos --json out.json --plot out.png"
    assert main(command.split()) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == [
        "distortion",
        "bytes",
        "bits/pixel",
        "PSNR",
        "(dB)",
        "MS-SSIM",
    ]
    assert len(rows) == 8
    printed = json.loads(Path("out.json").read_text())
    assert len(printed["images"][0]["points"]) == 8
    assert read_image("out.png").shape[2] == 3


def test_demo(pretrained, tmp_path, capsys):
    assert main(["demo", "--out", str(tmp_path / "out")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:3] == ["distortion", "bytes", "bits/pixel"]
    assert len(lines) == 8
    assert len(list((tmp_path / "out").glob("*.yoto"))) == 5
    assert (tmp_path / "out" / "comparison.png").exists()
    assert main(["demo", "--out", str(tmp_path / "out"), "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 5


BAD = [
    # Pictures
    ("compress none.png out.yoto", "no such file or folder: none.png"),
    ("compress empty.png out.yoto", "cannot read empty.png: the file is empty"),
    ("compress text.png out.yoto", "cannot read text.png: not a picture"),
    ("compress cut.png out.yoto", "cannot read cut.png: "),
    # Compressed files
    ("decompress none.yoto out.png", "no such file or folder: none.yoto"),
    ("decompress empty.png out.png", "empty.png: not a .yoto file: it is empty"),
    ("decompress photo.png out.png", "photo.png: not a .yoto file: it starts with"),
    ("decompress cut.yoto out.png", "cut.yoto: damaged or truncated .yoto file"),
    ("decompress short.yoto out.png", "short.yoto: truncated .yoto file"),
    ("decompress magic.yoto out.png", "magic.yoto: not a .yoto file"),
    ("decompress version.yoto out.png", "version.yoto: .yoto format version"),
    ("decompress model.yoto out.png", "model.yoto: damaged or truncated .yoto file"),
    ("decompress value.yoto out.png", "value.yoto: damaged or truncated .yoto file"),
    ("decompress payload.yoto out.png", "payload.yoto: damaged or truncated"),
    ("decompress foreign.yoto out.png", "foreign.yoto: written by model 0123456789"),
    ("info none.yoto", "cannot read none.yoto: No such file"),
    ("info photo.png", "photo.png: not a .yoto file: it starts with"),
    ("info payload.yoto", "payload.yoto: damaged or truncated .yoto file"),
    # Models
    ("decompress photo.yoto out.png --model other", "photo.yoto: written by model"),
    ("decompress photo.yoto out.png --model none", "directory 'none'; pretrained are"),
    ("compress photo.png out.yoto --model codek", "Did you mean 'codec'?"),
    ("compress photo.png out.yoto --model empty", "config.json is missing"),
    ("evaluate none --data photo.png", "no pretrained model or directory 'none'"),
    # Settings
    ("compress photo.png out.yoto --quality 1.5", "quality lies in [0, 1], got 1.5"),
    ("compress photo.png out.yoto --quality nan", "quality lies in [0, 1], got nan"),
    ("compress photo.png out.yoto --quality best", "invalid float value: 'best'"),
    ("compress photo.png out.yoto --coefficients distortion=9", "range [0.0018, 0.18]"),
    ("compress photo.png out.yoto --coefficients kl=4", "unknown coefficient 'kl', ex"),
    ("compress photo.png out.yoto --coefficients 0.02", "expected name=value"),
    ("compress photo.png out.yoto --coefficients distortion=x", "number, got 'x'"),
    (
        "compress photo.png out.yoto --coefficients distortion=0.02,kl=4",
        "unknown coefficient 'kl'",
    ),
    (
        "compress photo.png out.yoto --coefficients distortion=0.1,distortion=0.02",
        "distortion is given twice",
    ),
    ("compress photo.png out.yoto --coefficients quality=1", "coefficient 'quality'"),
    ("compress photo.png out.yoto --coefficients model=1", "coefficient 'model'"),
    ("stylize photo.png out.png --style x --coefficients style=1", "'style', expected"),
    ("sample out.png --coefficients seed=1", "unknown coefficient 'seed', expected"),
    ("reconstruct photo.png out.png --coefficients images=1", "coefficient 'images'"),
    ("compress photo.png out.yoto --quality 0.5 --target-bpp 1", "not allowed with"),
    ("compress photo.png out.yoto --target-size 10", "10 is out of reach: this pictur"),
    ("compress photo.png out.yoto --target-bpp 99", "99 is out of reach: this picture"),
    ("compress photo.png out.yoto --target-psnr 70", "70 is out of reach: this pictur"),
    ("compress photo.png out.yoto --target-bpp -1", "is a positive number, got -1"),
    # Outputs
    ("compress photo.png none/out.yoto", "there is no folder none"),
    ("compress photo.png full", "cannot write full/photo.yoto: it is a folder"),
    ("compress photo.png photo.png", "photo.png is the input"),
    ("decompress photo.yoto photo.yoto", "photo.yoto is the input"),
    ("decompress photo.yoto none/out.png", "there is no folder none"),
    ("decompress photo.yoto out.xyz", "expected a picture suffix such as .png"),
    ("decompress photo.yoto out", "expected a picture suffix such as .png"),
    ("compress photo.png keep.jpg", "cannot write keep.jpg: expected the suffix .yoto"),
    ("sample photo.yoto", "expected a picture suffix such as .png"),
    ("stylize photo.png photo.yoto --style x", "expected a picture suffix such as"),
    ("stylize photo.png photo.png --random 2", "photo.png is the input"),
    ("stylize . below --style x", "among the files of ., which are read"),
    ("stylize *.png . --style x", ". holds the input, expected another folder"),
    ("reconstruct . out.png", "out.png is or would be among the files of ., which"),
    ("reconstruct *.png photo.png", "photo.png is or would be among the files of *.p"),
    ("evaluate codec --data . --plot out.png", "among the files of ., which are read"),
    ("evaluate codec --data photo.png --json keep.jpg", "expected a suffix of .json"),
    ("evaluate other --data photo.png --json other/config.json", "a file of the model"),
    ("evaluate codec --data photo.png --json none/a.json", "there is no folder none"),
    ("evaluate codec --data photo.png --plot a.xyz", "expected a .png, .svg or .pdf"),
    ("demo --out photo.png", "photo.png: File exists"),
    # Data, recipes
    ("evaluate codec --data empty", "no pictures in the folder empty"),
    ("evaluate codec --data none", "no such file or folder: none"),
    ("train none", "unknown recipe 'none', expected a .py file or one of: codec/"),
    ("train none.py", "no such recipe file: none.py"),
    ("train codec/large", "the recipe names no data"),
    ("train codec/large --data empty", "no pictures in the folder empty"),
    ("train codec/large --data . --set step=3", "no field 'step', nearest: steps"),
    ("train codec/large --data . --set steps=x", "steps must be int, got 'x'"),
    ("train codec/large --data . --steps 0", "steps must be above 0, got 0"),
    ("train codec/large --data . --set batch_size=0", "batch_size must be above 0"),
    ("train codec/large --data . --set precision=low", "precision must be auto or a"),
    ("train codec/large --data . --set seed=-1", "seed must be from 0 to 4294967295"),
    ("train codec/large --data . --set warmup_steps=-1", "warmup_steps must be from 0"),
    ("train codec/large --data . --set decay_fraction=2", "must be from 0 to 1, got 2"),
    ("train codec/large --data . --set clipnorm=0", "clipnorm must be none or above 0"),
    ("train codec/large --data . --set patch_size=100", "a multiple of 64, got 100"),
    ("train codec/large --data . --from none", "no pretrained model or directory 'n"),
    ("train codec/large --data . --from w/release --workdir w", "is what the training"),
    # The command itself
    ("", "arguments are required: COMMAND"),
    ("comprss", "invalid choice: 'comprss'"),
    ("compress photo.png", "arguments are required: OUT"),
]


@pytest.fixture
def bad_files(here, release_folder):
    """What the lines of BAD are about, beside the good picture and its file."""
    good = Path("photo.yoto").read_bytes()
    picture = Path("photo.png").read_bytes()
    Path("empty").mkdir()
    Path("full/photo.yoto").mkdir(parents=True)
    Path("empty.png").touch()
    Path("text.png").write_text("no picture")
    Path("keep.jpg").write_bytes(b"a photograph")
    Path("cut.png").write_bytes(picture[: len(picture) // 2])
    Path("cut.yoto").write_bytes(good[:-7])
    Path("short.yoto").write_bytes(good[:9])
    for name, offset in (
        ("magic", 1),
        ("version", 4),
        ("model", 8),
        ("value", 16),
        ("payload", len(good) - 3),
    ):
        data = bytearray(good)
        data[offset] ^= 16
        Path(f"{name}.yoto").write_bytes(data)
    container = Container(bytes.fromhex("0123456789abcdef"), (0.02,), 6, 7, (b"", b""))
    Path("foreign.yoto").write_bytes(container.to_bytes())
    return here


@pytest.fixture(scope="session")
def other_model(tmp_path_factory):
    from yoto_tf import Coefficients, LogUniform
    from yoto_tf.zoo.codec import Codec, Hyperprior

    coefficients = Coefficients(distortion=LogUniform(0.0018, 0.18))
    network = Hyperprior(coefficients, (4, 4, 4, 6), 4)
    network.build(None)
    folder = tmp_path_factory.mktemp("other") / "other"
    Codec.from_network(network).save(folder)
    return folder


def test_bad_input_is_one_line_and_leaves_nothing(bad_files, other_model, capsys):
    os.symlink(other_model, "other")
    Path("w").mkdir()
    shutil.copytree(other_model, "w/release")
    before = {name: Path(name).read_bytes() for name in files()}
    capsys.readouterr()
    wrong = []
    for command, expected in BAD:
        try:
            status = main(command.split())
        except SystemExit as error:
            status = error.code
        printed = capsys.readouterr()
        lines = printed.err.splitlines()
        good = (
            status == 2
            and printed.out == ""
            and len(lines) == 1
            and lines[0].startswith("yoto: ")
            and expected in lines[0]
        )
        if not good:
            wrong.append((command, expected, status, printed))
        after = {name: Path(name).read_bytes() for name in files()}
        if after != before:
            wrong.append((command, "changed files", sorted(after.keys() ^ before)))
    assert wrong == []


def test_no_clobber_leaves_what_exists_and_says_so(here, photograph, capsys):
    write_image("other.png", photograph[:64, :64])
    Path("out").mkdir()
    Path("out/photo.yoto").write_bytes(b"mine")
    Path("photo.yoto").write_bytes(b"mine")
    assert main(["compress", "*.png", "out", "--no-clobber"]) == 0
    expected = "yoto: out/photo.yoto exists and is left as it is\n"
    assert capsys.readouterr().err == expected
    assert Path("out/photo.yoto").read_bytes() == b"mine"
    assert Path("out/other.yoto").stat().st_size > 100
    for command in (
        "compress photo.png photo.yoto",
        "decompress out/other.yoto photo.png",
        "stylize other.png photo.png --style x --model none",
        "stylize other.png photo.png --random 2 --model none",
        "sample photo.png --model none",
        "reconstruct other.png photo.png --model none",
    ):
        before = {name: Path(name).read_bytes() for name in files()}
        # A stylizer is loaded before it is known how many pictures there are.
        if "--style" not in command:
            assert main([*command.split(), "--no-clobber"]) == 0, command
            assert "exists and is left as it is" in capsys.readouterr().err
        assert {name: Path(name).read_bytes() for name in files()} == before
    Path("out.json").write_text("mine")
    command = "evaluate codec --data photo.png --json out.json --no-clobber"
    assert main(command.split()) == 0
    assert Path("out.json").read_text() == "mine"
    assert "yoto: out.json exists" in capsys.readouterr().err


def test_links_and_names_of_any_bytes(here, capfdbinary):
    Path("store").mkdir()
    Path("store/real.yoto").write_bytes(b"old")
    os.symlink("store/real.yoto", "link.yoto")
    odd = os.fsdecode(b"caf\xe9.png")
    shutil.copy("photo.png", odd)
    capfdbinary.readouterr()
    assert main(["compress", "photo.png", "link.yoto"]) == 0
    assert os.path.islink("link.yoto")
    assert Path("store/real.yoto").read_bytes() == Path("photo.yoto").read_bytes()
    assert main(["compress", odd, odd.replace("png", "yoto")]) == 0
    name = "a" * 250 + ".yoto"
    assert main(["compress", "photo.png", name]) == 0
    assert Path(name).exists()


def test_words_that_the_terminal_cannot_show(here, release_folder):
    """A process of its own: streams of a test are not those of a terminal."""
    program = "import sys; from yoto_tf.cli import main; sys.exit(main())"
    shutil.copy("photo.yoto", os.fsdecode(b"caf\xe9.yoto"))
    for encoding in ("ascii", "cp1252", "utf-8:strict"):
        done = subprocess.run(
            [sys.executable, "-c", program, "info", os.fsdecode(b"caf\xe9.yoto")],
            env={**os.environ, "PYTHONIOENCODING": encoding},
            capture_output=True,
        )
        assert (done.returncode, done.stderr) == (0, b""), encoding
        assert b"70" in done.stdout


def test_what_goes_to_standard_output_is_the_file_alone(here):
    program = """
import sys
from yoto_tf.cli import output
print("report", file=output.report_stream(sys.argv[1]))
"""
    os.symlink("/dev/stdout", "out")
    for target, stream in (("out", "stderr"), ("photo.yoto", "stdout")):
        done = subprocess.run(
            [sys.executable, "-c", program, target], capture_output=True, check=True
        )
        assert getattr(done, stream) == b"report\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_read_only_folder(here, capsys):
    Path("locked").mkdir(mode=0o500)
    assert main(["compress", "photo.png", "locked/a.yoto"]) == 2
    assert "cannot write locked/a.yoto" in capsys.readouterr().err


def test_full_disk_leaves_what_was_there(here, monkeypatch, capsys):
    from yoto_tf.machine import atomic_files

    before = Path("photo.yoto").read_bytes()

    def fail(source, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(atomic_files.os, "replace", fail)
    capsys.readouterr()
    assert main(["compress", "photo.png", "photo.yoto", "--quality", "1"]) == 2
    error = capsys.readouterr().err
    assert error == "yoto: cannot write photo.yoto: No space left on device\n"
    assert Path("photo.yoto").read_bytes() == before
    assert files() == ["photo.png", "photo.yoto"]


def test_interrupt_is_status_130(here, monkeypatch, capsys):
    from yoto_tf.zoo.codec import Codec

    def interrupt(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(Codec, "compress", interrupt)
    assert main(["compress", "photo.png", "a.yoto"]) == 130
    assert files() == ["photo.png", "photo.yoto"]


def test_bug_is_not_hidden(here, monkeypatch):
    from yoto_tf.zoo.codec import Codec

    def fail(*args, **options):
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(Codec, "compress", fail)
    with pytest.raises(ZeroDivisionError):
        main(["compress", "photo.png", "a.yoto"])


def test_train_resume_and_continue(here, photograph, capsys):
    Path("photos").mkdir()
    write_image("photos/a.png", photograph[:256, :256])
    train = ["train", "codec/large", "--data", "photos", "--set", *SMALL]
    assert main([*train, "--steps", "2", "--workdir", "first"]) == 0
    assert "trained to step 2" in capsys.readouterr().out
    assert main([*train, "--steps", "3", "--workdir", "first", "--resume"]) == 0
    assert steps("first/checkpoints")[-1] == 3
    first = zoo.load("first/release")
    assert "3 steps of 2 patches of 64×64" in first.card
    image = read_image("photo.png")
    assert first.decompress(first.compress(image)).shape == image.shape

    start = ["--steps", "1", "--workdir", "second", "--from", "first/release"]
    assert main([*train, "learning_rate=1e-9", *start]) == 0
    second = zoo.load("second/release")
    assert second.card.endswith(
        f"from first/release, model {first.release.id.hex()}.\n"
    )
    for path, array in second.release.weights.items():
        np.testing.assert_allclose(
            array, first.release.weights[path], atol=1e-6, err_msg=path
        )
    capsys.readouterr()
    assert main([*train, "--workdir", "first"]) == 2
    assert "first holds a training at step 3" in capsys.readouterr().err
    other = [*train, "hyper_filters=5", "--from", "first/release", "--workdir", "third"]
    assert main(other) == 2
    assert "has hyper_filters 4, the recipe 5" in capsys.readouterr().err


def test_recipe_of_a_file_trains_without_a_release(here, capsys):
    assert main(["train", str(LINE), "--steps", "3"]) == 0
    workdir = Path("runs/least_squares_recipe")
    assert str(workdir) in capsys.readouterr().out
    assert steps(workdir / "checkpoints") == [3]
    assert not (workdir / "release").exists()


def test_help_lists_the_commands(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    for command in ("list", "compress", "decompress", "info", "train", "evaluate"):
        assert f"    {command}" in text


def test_console_script(here, release_folder):
    """In processes of their own: what is heard of TensorFlow, and what is imported."""
    script = Path(sys.executable).with_name("yoto")
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("TF_")
    }

    def yoto(*arguments):
        return subprocess.run(
            [script, *arguments], env=environment, capture_output=True, text=True
        )

    done = yoto("compress", "photo.png", "a.yoto", "--model", release_folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("a.yoto: ")
    done = yoto("decompress", "a.yoto", "a.png", "--model", release_folder)
    expected = "a.png: 70 × 60 pixels\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, expected, "")
    assert Path("a.yoto").read_bytes() == Path("photo.yoto").read_bytes()
    assert read_image("a.png").shape == (60, 70, 3)
    done = yoto("decompress", "photo.png", "b.png")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert not Path("b.png").exists()


def test_quick_commands_do_without_keras(here):
    code = (
        "import sys; from yoto_tf.cli import main; "
        "assert main(['list']) == 0; assert main(['info', 'photo.yoto']) == 0; "
        "assert not {'keras', 'tensorflow', 'jax'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_reader_that_has_seen_enough_ends_the_command_quietly():
    reading, writing = os.pipe()
    os.close(reading)
    code = "import sys; from yoto_tf.cli import main; sys.exit(main(['list']))"
    done = subprocess.run(
        [sys.executable, "-c", code], stdout=writing, stderr=subprocess.PIPE, text=True
    )
    os.close(writing)
    assert done.stderr == ""
    assert done.returncode == 128 + signal.SIGPIPE


def test_a_file_that_the_shell_has_just_opened_is_written(here):
    program = "import sys; from yoto_tf.cli import main; sys.exit(main())"
    command = ["compress", "photo.png", "-", "--lossless", "--no-clobber"]
    with open("out.yoto", "wb") as file:
        done = subprocess.run(
            [sys.executable, "-c", program, *command], stdout=file, check=True
        )
    assert done.returncode == 0
    assert main(["decompress", "out.yoto", "back.png"]) == 0
    np.testing.assert_array_equal(read_image("back.png"), read_image("photo.png"))


def test_standard_output_that_is_closed(here):
    program = "import sys; from yoto_tf.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", program, "compress", "photo.png", "out.yoto"]
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", *command, "--lossless", "--quiet"],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("sample out.png --seed -1", "argument --seed: expected a whole number from 0"),
        (
            "stylize photo.png out.png --random 2 --seed 1.5",
            "argument --seed: expected a whole number from 0, got 1.5",
        ),
        ("compress photo.png out --coefficients once=1", "unknown coefficient 'once'"),
        (
            "compress photo.png out --coefficients codec=1",
            "unknown coefficient 'codec'",
        ),
        ("decompress nothere.yoto photo.png", "no such file or folder: nothere.yoto"),
    ],
)
def test_bad_input_is_one_line_about_itself(here, capsys, command, message):
    assert ended(command.split()) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def ended(arguments):
    """The exit status, also where argparse ends the command."""
    try:
        return main(arguments)
    except SystemExit as end:
        return end.code


def test_an_unknown_backend(here, monkeypatch, capsys):
    monkeypatch.setenv("KERAS_BACKEND", "nonsense")
    assert main(["decompress", "photo.yoto", "out.png"]) == 2
    assert capsys.readouterr().err == (
        "yoto: the Keras backend is 'nonsense', expected one of tensorflow, jax, "
        "torch\n"
    )
