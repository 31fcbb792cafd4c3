"""Videos, frame by frame, with their sound.

Frames are encoded in parts, files beside the one to write, which are joined at the end:
what an interruption leaves is gone on with, see `yoto_tf.zoo.stylization.film_parts`.
"""

import contextlib
import itertools
import os
from pathlib import Path

import numpy as np

from yoto_tf.errors import DataError, printable
from yoto_tf.machine.atomic_files import atomic_file
from yoto_tf.machine.progress import progress_bar
from yoto_tf.zoo.stylization.film_joining import join
from yoto_tf.zoo.stylization.film_parts import film_parts

# Suffixes of what is read and written, and FFmpeg's names of the containers.
CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
SUFFIXES = frozenset(CONTAINERS)
# H.264 at a quality at which losses are hardly seen.
_CODEC, _OPTIONS = "libx264", {"crf": "18"}
_RATE = 25
# As much as an interruption may cost; each part begins with a whole picture.
FRAMES_A_PART = 120
# Pixels of a frame, those of 8K.
LARGEST = 7680 * 4320


def is_video(path):
    """Whether a file is called like a video."""
    return Path(os.fspath(path)).suffix.lower() in SUFFIXES


def convert_video(source, target, convert, job=None):
    """Writes a video of converted frames, completely or not at all.

    Frames keep their times, and sound is copied as it is. A few frames are in memory at
    a time. An odd side grows by a pixel: H.264 stores colour for 2×2 pixels.

    Args:
        source: a video file.
        target: the file to write, with a suffix of `SUFFIXES`.
        convert: function of uint8 [H, W, 3] to the same.
        job: all that `convert` depends on, as JSON takes it. Where an interruption
            (Ctrl-C, a kill, a full disk) has left parts of the same video by the same
            job, they are gone on with. None: every time from the beginning.

    Raises:
        DataError: PyAV is not installed, a file cannot be read or written, or it has no
            pictures; what `convert` raises.
    """
    av = _pyav()
    target = Path(target)
    form = CONTAINERS[target.suffix.lower()]
    try:
        with _opened(av, source) as read:
            _check(source, read)
        with film_parts(target, _identity(av, source, job)) as parts:
            _write_parts(av, source, parts, convert)
            if not parts.frames:
                raise DataError(f"cannot read {source}: it holds no pictures")
            with (
                _opened(av, source) as read,
                atomic_file(target) as file,
                av.open(file, "w", format=form) as write,
            ):
                join(av, read, parts, write)
    except (av.FFmpegError, OSError) as error:
        # Without the name of the file, which is only one of the two.
        reason = error.strerror or "it is not a video"
        raise DataError(f"cannot convert {source} to {target}: {reason}") from error


def _identity(av, source, job):
    """What has to be the same for parts to be gone on with, or None."""
    if job is None:
        return None
    found = os.stat(source)
    return {
        "source": [os.path.basename(source), found.st_size, found.st_mtime_ns],
        "encoder": [av.__version__, _CODEC, _OPTIONS, FRAMES_A_PART],
        "job": job,
    }


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


def _check(source, read):
    if not read.streams.video:
        raise DataError(f"cannot read {source}: it holds no pictures")
    video = read.streams.video[0]
    pixels = video.codec_context.width * video.codec_context.height
    if pixels > LARGEST:
        raise DataError(
            f"cannot read {source}: {pixels:,} pixels a frame, expected at most "
            f"{LARGEST:,}"
        )


def _write_parts(av, source, parts, convert):
    """Converts the frames that the parts do not hold yet."""
    with _opened(av, source) as read:
        video = read.streams.video[0]
        video.thread_type = "AUTO"
        frames = _frames(read, video, parts.last)
        with progress_bar(
            description=printable(os.path.basename(os.fspath(source))),
            total=video.frames or None,
            initial=parts.frames,
            unit="frame",
        ) as progress:
            for first in frames:
                some = itertools.chain(
                    [first], itertools.islice(frames, FRAMES_A_PART - 1)
                )
                converted = _converted(some, video, parts.frames, convert, progress)
                with (
                    parts.next_file() as file,
                    av.open(file, "w", format=CONTAINERS[".mp4"]) as write,
                ):
                    times = _encode(av, converted, video, write)
                # Without times of its own a frame is not found again.
                last = None if first.pts is None else times[-1]
                parts.add(first=times[0], last=last, frames=len(times))


def _converted(frames, video, count, convert, progress):
    """Times in the video's units, and pictures; `count` frames went before."""
    for number, frame in enumerate(frames, count):
        time = frame.pts
        if time is None:
            time = round(number / _rate(video) / video.time_base)
        yield time, _even(convert(_upright(frame)))
        progress.update()


def _encode(av, converted, video, write):
    """Writes a part, whose times begin at zero; returns those of the whole."""
    stream = write.add_stream(_CODEC, rate=_rate(video), options=_OPTIONS)
    stream.pix_fmt = "yuv420p"
    stream.codec_context.time_base = video.time_base
    times = []
    for time, image in converted:
        if not times:
            stream.height, stream.width = image.shape[:2]
        times.append(time)
        frame = av.VideoFrame.from_ndarray(image, format="rgb24")
        frame.time_base, frame.pts = video.time_base, time - times[0]
        write.mux(stream.encode(frame))
    write.mux(stream.encode(None))
    return times


def _rate(video):
    return video.average_rate or _RATE


def _frames(read, video, after):
    """The frames of a video, from the beginning or those after a time."""
    if after is not None:
        # To the whole picture before it, from which on all can be decoded.
        read.seek(after, stream=video)
    for frame in read.decode(video):
        if after is None or frame.pts > after:
            yield frame


def _upright(frame):
    """uint8 [H, W, 3], turned as a phone was held."""
    image = frame.to_ndarray(format="rgb24")
    return np.ascontiguousarray(np.rot90(image, frame.rotation // 90 % 4))


def _even(image):
    height, width = image.shape[:2]
    return np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
