"""An axis divided into overlapping spans."""


def spans(length, size, reach):
    """Divides an axis into overlapping spans of one size.

    Args:
        length: of the axis, ≥ 1.
        size: of a span, above the sum of the reach unless it is the whole axis.
        reach: how far (before, after) itself an output looks.

    Returns:
        A list of (begin, end, first, last): of the outputs of the inputs begin…end,
        first…last are to be kept. What is kept covers the axis once.
    """
    if size >= length:
        return [(0, length, 0, length)]
    before, after = reach
    result, first = [], 0
    while first < length:
        begin = min(max(first - before, 0), length - size)
        end = begin + size
        last = length if end == length else end - after
        result.append((begin, end, first, last))
        first = last
    return result
