"""Videos frame by frame. They are made here: moving stripes and a tone."""

import json
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest

from yoto_tf.cli import main
from yoto_tf.data import write_image
from yoto_tf.errors import DataError
from yoto_tf.zoo.stylization import file_conversion, files, video
from yoto_tf.zoo.stylization.video import convert_video

av = pytest.importorskip("av", reason="the extra `video` is not installed")

UNIT = Fraction(1, 600)
# In these units, in seconds; the frames are not equally long.
TIMES = (0, 20, 40, 80, 100, 120, 160, 180)
SIZE = (34, 48)


@pytest.fixture
def clip(tmp_path):
    """A function that writes a video with a sound beside it."""

    def write(name="clip.mp4", sound=True):
        path = tmp_path / name
        with av.open(str(path), "w") as file:
            stream = file.add_stream("libx264", rate=30, options={"crf": "0"})
            stream.height, stream.width = SIZE
            stream.pix_fmt = "yuv444p"
            stream.codec_context.time_base = UNIT
            if sound:
                tone = file.add_stream("aac", rate=8000, layout="mono")
                samples = np.sin(np.arange(4096) / 3).astype("float32")[None]
                heard = av.AudioFrame.from_ndarray(samples, "fltp", "mono")
                heard.sample_rate, heard.pts = 8000, 0
                file.mux(tone.encode(heard))
                file.mux(tone.encode(None))
            for number, time in enumerate(TIMES):
                image = np.full((*SIZE, 3), 40, "uint8")
                image[:, 6 * number : 6 * number + 6] = 200, 100, 50
                frame = av.VideoFrame.from_ndarray(image, format="rgb24")
                frame.pts, frame.time_base = time, UNIT
                file.mux(stream.encode(frame))
            file.mux(stream.encode(None))
        return path

    return write


def frames(path):
    with av.open(str(path)) as file:
        return [
            (float(frame.time), frame.to_ndarray(format="rgb24").astype(int))
            for frame in file.decode(video=0)
        ]


def sound(path):
    with av.open(str(path)) as file:
        return [bytes(packet) for packet in file.demux(audio=0) if packet.size]


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_frames_are_converted_and_times_and_sound_kept(clip, tmp_path, suffix):
    source, target = clip(), tmp_path / f"out{suffix}"
    convert_video(source, target, lambda image: 255 - image)
    before, after = frames(source), frames(target)
    assert len(after) == len(TIMES)
    # A Matroska file begins with its earliest sound, which may precede the frames.
    for found in (before, after):
        start = found[0][0]
        times = [time - start for time, _ in found]
        assert times == pytest.approx([time * float(UNIT) for time in TIMES], abs=2e-3)
    for (_, original), (_, converted) in zip(before, after, strict=True):
        # The edges of colours are stored coarsely.
        assert np.abs(255 - original - converted).mean() < 8
    assert sound(target) == sound(source) != []


def test_a_video_without_sound_and_with_odd_sides(clip, tmp_path):
    target = tmp_path / "out.mp4"
    convert_video(clip(sound=False), target, lambda image: image[:-1, :-1])
    assert {image.shape for _, image in frames(target)} == {(*SIZE, 3)}


LIST = b"""#EXTM3U
#EXT-X-TARGETDURATION:1
#EXTINF:1,
other.mp4
#EXT-X-ENDLIST
"""


@pytest.mark.parametrize(
    "content",
    [b"", b"\0\0\0\x18ftypmp42" + bytes(5000), LIST, b"ffconcat version 1.0\n"],
)
def test_what_is_no_video(tmp_path, content):
    (tmp_path / "clip.mp4").write_bytes(content)
    with pytest.raises(DataError, match=r"cannot convert .*clip.mp4 to .*out.mp4: "):
        convert_video(tmp_path / "clip.mp4", tmp_path / "out.mp4", np.array)
    assert not (tmp_path / "out.mp4").exists()


def test_a_name_is_no_address(clip, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    clip().rename("concat:a.mp4")
    convert_video("concat:a.mp4", tmp_path / "out.mp4", np.array)
    assert len(frames(tmp_path / "out.mp4")) == len(TIMES)


def test_frames_have_a_largest_size(clip, tmp_path, monkeypatch):
    monkeypatch.setattr(video, "LARGEST", SIZE[0] * SIZE[1] - 1)
    with pytest.raises(DataError, match="1,632 pixels a frame, expected at most 1,631"):
        convert_video(clip(), tmp_path / "out.mp4", np.array)
    assert not (tmp_path / "out.mp4").exists()


def test_a_failure_leaves_nothing(clip, tmp_path):
    def fail(image):
        raise DataError("too small")

    with pytest.raises(DataError, match="too small"):
        convert_video(clip(), tmp_path / "out.mp4", fail)
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


def test_without_the_extra(clip, tmp_path, monkeypatch):
    source = clip()
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(DataError, match=r"the extra `video`: pip install"):
        convert_video(source, tmp_path / "out.mp4", np.array)


def test_command(clip, tmp_path, capsys):
    source, target = clip(), tmp_path / "painted.mp4"
    arguments = ["stylize", str(source), str(target), "--style", "udnie"]
    assert main(arguments) == 0
    assert len(frames(target)) == len(TIMES)
    assert sound(target) == sound(source)
    assert main(["stylize", str(source), str(tmp_path / "a.png"), *arguments[3:]]) == 2
    assert "expected a video suffix such as .mp4" in capsys.readouterr().err
    photo = tmp_path / "photo.png"
    assert main(["decompress", str(source), str(photo)]) == 2


def interrupted(number, error=KeyboardInterrupt):
    """A conversion that something stops at a frame, from 0; and the frames it saw."""
    seen = []

    def convert(image):
        if len(seen) == number:
            raise error
        seen.append(image)
        return 255 - image

    return convert, seen


@pytest.fixture
def short_parts(monkeypatch):
    monkeypatch.setattr(video, "FRAMES_A_PART", 3)


PARTS = ".out.mp4.parts"


@pytest.mark.parametrize(
    ("error", "raised"),
    [(KeyboardInterrupt, KeyboardInterrupt), (OSError(28, "No space left"), DataError)],
)
def test_what_an_interruption_leaves_is_gone_on_with(
    clip, tmp_path, short_parts, error, raised
):
    source, target, whole = clip(), tmp_path / "out.mp4", tmp_path / "whole.mp4"
    convert_video(source, whole, lambda image: 255 - image)
    convert, seen = interrupted(7, error)
    left = r"^6 frames of out.mp4 are done: the same command goes on from there$"
    with pytest.warns(UserWarning, match=left), pytest.raises(raised):
        convert_video(source, target, convert, "a job")
    assert len(seen) == 7
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        PARTS,
        "clip.mp4",
        "whole.mp4",
    ]
    convert, seen = interrupted(None)
    convert_video(source, target, convert, "a job")
    assert len(seen) == 2
    assert not (tmp_path / PARTS).exists()
    for (time, image), (expected_time, expected) in zip(
        frames(target), frames(whole), strict=True
    ):
        assert time == pytest.approx(expected_time, abs=1e-6)
        assert np.abs(image - expected).mean() < 2
    assert sound(target) == sound(whole) == sound(source)


@pytest.mark.filterwarnings("ignore:. frames of")
def test_another_job_begins_anew(clip, tmp_path, short_parts):
    source, target = clip(), tmp_path / "out.mp4"

    def stop(job, number=7):
        convert, seen = interrupted(number)
        with pytest.raises(KeyboardInterrupt):
            convert_video(source, target, convert, job)
        return seen

    stop({"style": "udnie"})
    (tmp_path / PARTS / "1.mp4").unlink()
    assert len(stop({"style": "udnie"})) == 7
    (tmp_path / PARTS / "parts.json").write_text("{}")
    assert len(stop({"style": "udnie"})) == 7
    stop({"style": "udnie"}, 1)
    assert (tmp_path / PARTS).exists()
    stop({"style": "the_scream"}, 1)
    # Nothing was finished that could be gone on with.
    assert not (tmp_path / PARTS).exists()
    stop(None)
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


def test_another_mask_is_another_job(clip, tmp_path, monkeypatch, short_parts):
    jobs = []
    monkeypatch.setattr(
        file_conversion,
        "convert_video",
        lambda source, target, convert, job: jobs.append(job),
    )
    source, settings = clip(), {"style": "udnie", "outside": "mondrian"}
    for white in (10, 20):
        mask = np.zeros(SIZE, "uint8")
        mask[:white] = 255
        write_image(tmp_path / "mask.png", mask)
        files.stylize_files(
            source, tmp_path / "out.mp4", mask=tmp_path / "mask.png", **settings
        )
    first, second = jobs
    assert first != second
    assert json.dumps({**first, "mask": None}) == json.dumps({**second, "mask": None})


def test_a_folder_of_somebody_s_own_is_left_alone(clip, tmp_path):
    (tmp_path / PARTS).mkdir()
    (tmp_path / PARTS / "0.mp4").write_text("mine")
    with pytest.raises(DataError, match="is in the way: expected it to be empty"):
        convert_video(clip(), tmp_path / "out.mp4", np.array, "a job")
    assert (tmp_path / PARTS / "0.mp4").read_text() == "mine"
    assert not (tmp_path / "out.mp4").exists()


# Writes a film of so many frames with a sound, converts it and says how much memory the
# process had at most, in bytes.
LONG = """
import resource, sys
import av, numpy as np
from yoto_tf.zoo.stylization.video import convert_video
count = int(sys.argv[1])
with av.open("film.mp4", "w") as file:
    pictures = file.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
    pictures.height, pictures.width, pictures.pix_fmt = 64, 64, "yuv420p"
    tone = file.add_stream("aac", rate=8000, layout="mono")
    rng = np.random.default_rng(0)
    for number in range(count):
        image = rng.integers(0, 255, (64, 64, 3), "uint8")
        frame = av.VideoFrame.from_ndarray(image, format="rgb24")
        file.mux(pictures.encode(frame))
        samples = np.sin(np.arange(320) / 3).astype("float32")[None]
        heard = av.AudioFrame.from_ndarray(samples, "fltp", "mono")
        heard.sample_rate, heard.pts = 8000, 320 * number
        file.mux(tone.encode(heard))
    file.mux(pictures.encode(None))
    file.mux(tone.encode(None))
convert_video("film.mp4", "out.mp4", lambda image: image)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the unit of ru_maxrss is Linux's")
def test_memory_does_not_grow_with_the_film(tmp_path):
    def most(count):
        return int(
            subprocess.check_output(
                [sys.executable, "-c", LONG, str(count)], cwd=tmp_path
            )
        )

    short, long = most(200), most(1400)
    # The frames between them take 15 MB, and as they are stored 5 MB.
    assert long - short < 4e6, (short, long)
