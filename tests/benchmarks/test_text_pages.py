import numpy as np
from PIL import Image
from text_pages import SIZE, text_pages


def test_pages_have_text_and_are_the_same_again(tmp_path):
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        text_pages(tmp_path / name, 12)
    files = sorted((tmp_path / "first").iterdir())
    assert len(files) == 12
    for file in files:
        again = tmp_path / "second" / file.name
        assert file.read_bytes() == again.read_bytes()
        page = Image.open(file)
        assert page.size == SIZE
        _, counts = np.unique(np.asarray(page.convert("L")), return_counts=True)
        # Paper, and ink on one to fifty percent of it.
        assert 0.01 < 1 - counts.max() / page.width / page.height < 0.5
