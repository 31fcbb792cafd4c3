"""Pictures of sweeps. matplotlib is imported when the first is drawn."""

import io
from pathlib import Path

import numpy as np

from yoto_tf.errors import YotoError
from yoto_tf.machine.atomic_files import write_atomically

# A coefficient that spans more than this factor is drawn on a logarithmic axis.
_LINEAR_SPAN = 20


def front(path, sweep, names, fixed=None, labels=None):
    """Draws two terms against each other; see `Sweep.plot`."""
    figure, axes = _figure(1)
    _front(axes[0], sweep, names, fixed, labels)
    _write(path, figure)


def comparison(path, one, many, percent):
    """Draws the fronts of one network and of many, and the regret beside them.

    Args:
        path: the file.
        one, many: sweeps over the same coefficients.
        percent: the regret at each of these.
    """
    figure, axes = _figure(2)
    _front(axes[0], one, tuple(one.terms[0])[:2], many)
    values, label, is_log = _dial(one)
    axes[1].axhline(0, color="grey", linewidth=1)
    axes[1].plot(values, percent, marker="o")
    axes[1].set(xlabel=label, ylabel="regret against fixed networks (%)")
    if is_log:
        axes[1].set_xscale("log")
    _write(path, figure)


def affinity(path, measured):
    """Draws the matrices of an `Affinity`, one for each vector, in percent."""
    matrices = 100 * np.array(measured.matrices)
    figure, axes = _figure(len(matrices))
    places = range(len(measured.names))
    # A step is meant to lower its own term: the colours do not scale with that.
    others = matrices[:, ~np.eye(len(places), dtype=bool)]
    most = np.abs(others).max(initial=1e-9)
    for one, matrix, row in zip(axes, matrices, measured.coefficients, strict=True):
        drawn = one.imshow(matrix, cmap="RdBu", vmin=-most, vmax=most)
        for i, j in np.ndindex(matrix.shape):
            one.text(j, i, f"{matrix[i, j]:+.2g}", ha="center", va="center")
        one.set_xticks(places, measured.names)
        one.set_yticks(places, measured.names)
        title = ", ".join(f"{name} {value:.3g}" for name, value in row.items())
        one.set(xlabel="how much this term falls (%)", ylabel="after a step on")
        one.set_title(title)
    figure.colorbar(drawn, ax=axes, label="positive: helps, negative: fights")
    _write(path, figure)


def _front(axes, sweep, names, fixed, labels=None):
    if len(names) != 2:
        raise YotoError(f"a front takes two terms, got {len(names)}")
    x, y = sweep.points(*names).T
    values, dial, is_log = _dial(sweep)
    labels = (*names, dial) if labels is None else tuple(labels)
    if len(labels) != 3:
        raise YotoError(
            "expected labels of the horizontal axis, the vertical axis and the "
            f"colours, got {len(labels)}"
        )
    axes.plot(x, y, color="lightgrey", zorder=1)
    drawn = axes.scatter(
        x, y, c=values, norm="log" if is_log else "linear", label="one network"
    )
    axes.figure.colorbar(drawn, ax=axes, label=labels[2])
    if fixed is not None:
        style = {"marker": "x", "color": "black", "label": "fixed networks"}
        axes.scatter(*fixed.points(*names).T, **style)
        axes.legend()
    axes.set(xlabel=labels[0], ylabel=labels[1])
    axes.grid(alpha=0.3)


def _dial(sweep):
    """What colours the points: (values, label, whether the scale is logarithmic).

    That is the coefficient that varies; with several, the number of the point.
    """
    rows = sweep.coefficients
    varying = [name for name in rows[0] if len({row[name] for row in rows}) > 1]
    if len(varying) > 1:
        return range(len(rows)), "number of the point", False
    name = (varying or list(rows[0]))[0]
    values = [row[name] for row in rows]
    is_log = min(values) > 0 and max(values) > _LINEAR_SPAN * min(values)
    return values, f"coefficient of {name}", is_log


def _figure(columns):
    # Not through pyplot, which keeps figures and picks a window system.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.5 * columns, 4), layout="constrained")
    return figure, figure.subplots(1, columns, squeeze=False)[0]


def _write(path, figure):
    suffix = Path(path).suffix[1:].lower()
    if suffix not in figure.canvas.get_supported_filetypes():
        raise YotoError(f"{path}: expected a picture such as .png, .svg or .pdf")
    content = io.BytesIO()
    figure.savefig(content, format=suffix)
    write_atomically(path, content.getvalue())
