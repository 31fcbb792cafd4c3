"""Videos, frame by frame, with their sound."""

import contextlib
import os
from pathlib import Path

import numpy as np

from yoto_tf.errors import DataError, printable
from yoto_tf.machine.atomic_files import atomic_file
from yoto_tf.machine.progress import progress_bar

# Suffixes of what is read and written, and FFmpeg's names of the containers.
CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
SUFFIXES = frozenset(CONTAINERS)
# H.264 at a quality at which losses are hardly seen.
_CODEC, _OPTIONS = "libx264", {"crf": "18"}
_RATE = 25
# Pixels of a frame, those of 8K.
LARGEST = 7680 * 4320


def is_video(path):
    """Whether a file is called like a video."""
    return Path(os.fspath(path)).suffix.lower() in SUFFIXES


def convert_video(source, target, convert):
    """Writes a video of converted frames, completely or not at all.

    Frames keep their times, and sound is copied as it is. A few frames are in memory at
    a time. An odd side grows by a pixel: H.264 stores colour for 2×2 pixels.

    Args:
        source: a video file.
        target: the file to write, with a suffix of `SUFFIXES`.
        convert: function of uint8 [H, W, 3] to the same.

    Raises:
        DataError: PyAV is not installed, a file cannot be read or written, or it has no
            pictures; what `convert` raises.
    """
    av = _pyav()
    target = Path(target)
    form = CONTAINERS[target.suffix.lower()]
    try:
        with _opened(av, source) as read, atomic_file(target) as file:
            if not read.streams.video:
                raise DataError(f"cannot read {source}: it holds no pictures")
            with av.open(file, "w", format=form) as write:
                _convert(av, source, read, write, convert)
    except (av.FFmpegError, OSError) as error:
        # Without the name of the file, which is only one of the two.
        reason = error.strerror or "it is not a video"
        raise DataError(f"cannot convert {source} to {target}: {reason}") from error


def _pyav():
    try:
        import av
    except ImportError as error:
        raise DataError(
            "videos need PyAV, which comes with the extra `video`: pip install "
            "'yoto_tf[video]', or '.[video]' in a checkout"
        ) from error
    return av


@contextlib.contextmanager
def _opened(av, source):
    """The video of a file, read in the format that its name says.

    FFmpeg gets the open file and not its name: some names are addresses to it, and by
    their content some files are lists of other files or of addresses.
    """
    form = CONTAINERS[Path(os.fspath(source)).suffix.lower()]
    with open(source, "rb") as data, av.open(data, format=form) as read:
        yield read


def _convert(av, source, read, write, convert):
    video = read.streams.video[0]
    video.thread_type = "AUTO"
    pixels = video.codec_context.width * video.codec_context.height
    if pixels > LARGEST:
        raise DataError(
            f"cannot read {source}: {pixels:,} pixels a frame, expected at most "
            f"{LARGEST:,}"
        )
    rate = video.average_rate or _RATE
    stream = write.add_stream(_CODEC, rate=rate, options=_OPTIONS)
    stream.pix_fmt = "yuv420p"
    stream.codec_context.time_base = video.time_base
    sounds = {
        sound.index: write.add_stream_from_template(sound)
        for sound in read.streams.audio
    }
    # Nothing can be written before the size of the first frame is known.
    waiting, count = [], 0
    with progress_bar(
        description=printable(os.path.basename(os.fspath(source))),
        total=video.frames or None,
        unit="frame",
    ) as progress:
        for packet in read.demux(video, *read.streams.audio):
            if packet.stream.index in sounds:
                # The last packet of a stream is empty.
                if packet.dts is not None:
                    packet.stream = sounds[packet.stream.index]
                    waiting.append(packet)
                if count:
                    write.mux(waiting)
                    waiting = []
                continue
            for frame in packet.decode():
                image = _even(convert(_upright(frame)))
                if not count:
                    stream.height, stream.width = image.shape[:2]
                write.mux(stream.encode(_frame(av, image, frame, count / rate)))
                count += 1
                progress.update()
        if not count:
            raise DataError(f"cannot read {source}: it holds no pictures")
        write.mux([*waiting, *stream.encode(None)])


def _upright(frame):
    """uint8 [H, W, 3], turned as a phone was held."""
    image = frame.to_ndarray(format="rgb24")
    return np.ascontiguousarray(np.rot90(image, frame.rotation // 90 % 4))


def _even(image):
    height, width = image.shape[:2]
    return np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")


def _frame(av, image, original, seconds):
    """The frame of a picture, at the time of another or so many seconds."""
    frame = av.VideoFrame.from_ndarray(image, format="rgb24")
    frame.time_base = original.time_base
    frame.pts = original.pts
    if frame.pts is None:
        frame.pts = round(seconds / original.time_base)
    return frame
