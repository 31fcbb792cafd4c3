"""The parts of a film and the sound of its source, as one file."""

import heapq


def join(av, read, parts, write):
    """Writes all packets in the order of their times, a few of them in memory.

    Args:
        av: PyAV.
        read: the source, an open container.
        parts: `yoto_tf.zoo.stylization.film_parts.FilmParts`.
        write: the container to write.
    """
    time_base = read.streams.video[0].time_base
    with parts.open(av, 0) as first:
        pictures = write.add_stream_from_template(first.streams.video[0])
    sounds = {
        sound.index: write.add_stream_from_template(sound)
        for sound in read.streams.audio
    }
    seen = _pictures(av, parts, time_base, pictures)
    heard = _sounds(read, sounds) if sounds else ()
    for packet in heapq.merge(seen, heard, key=_seconds):
        write.mux(packet)


def _seconds(packet):
    return packet.dts * packet.time_base


def _pictures(av, parts, time_base, stream):
    """The packets of all parts at the times that they have in the whole.

    Some are stored before their turn, since others are predicted from them. So the n-th
    is decoded at the n-th of the times at which pictures are shown, less the most by
    which one would then be decoded too late.
    """
    late = 0
    for number in range(len(parts)):
        shown = [packet.pts for packet in _packets(av, parts, number)]
        turns = zip(sorted(shown), shown, strict=True)
        late = max(late, *(turn - time for turn, time in turns))
    for number in range(len(parts)):
        packets = list(_packets(av, parts, number))
        turns = sorted(packet.pts for packet in packets)
        for turn, packet in zip(turns, packets, strict=True):
            begin = round(parts.first(number) * time_base / packet.time_base)
            packet.pts, packet.dts = begin + packet.pts, begin + turn - late
            packet.stream = stream
            yield packet


def _packets(av, parts, number):
    with parts.open(av, number) as read:
        for packet in read.demux(video=0):
            # The last one is empty.
            if packet.size:
                yield packet


def _sounds(read, streams):
    for packet in read.demux(*read.streams.audio):
        if packet.dts is not None:
            packet.stream = streams[packet.stream.index]
            yield packet
