"""Progress bars, which are shown on a terminal and nowhere else."""

_hidden = False


def progress_bar(iterable=None, description=None, **options):
    """A `tqdm` bar on standard error, where that is a terminal, from one second on.

    Args:
        iterable: what is gone through, or None.
        description: what stands before the bar.
        **options: of `tqdm`.
    """
    # The command line imports this module before it knows what it is to do.
    from tqdm import tqdm

    # tqdm takes None for "unless it is a terminal".
    disable = True if _hidden else None
    return tqdm(iterable, description, **{"delay": 1, **options, "disable": disable})


def hide_progress_bars(hidden=True):
    """Shows no more bars in this process, or does so again."""
    global _hidden
    _hidden = hidden
