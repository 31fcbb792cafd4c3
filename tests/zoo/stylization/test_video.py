"""Videos frame by frame. They are made here: moving stripes and a tone."""

import sys
from fractions import Fraction

import numpy as np
import pytest

from yoto_tf.cli import main
from yoto_tf.errors import DataError
from yoto_tf.zoo.stylization import video
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
