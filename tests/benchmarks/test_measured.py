from measured import measured

from yoto_tf import zoo


def test_released_models_have_the_figures_of_the_results():
    """If this fails, `python benchmarks/measured.py` writes them anew."""
    found = {name: list(summary.measured) for name, summary in zoo.summaries().items()}
    assert found == measured()
