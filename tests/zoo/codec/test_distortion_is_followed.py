"""From `--coefficients distortion=0.02` to FiLM: a reader finds every call by its name.

What is called is what stands there: no `__getattr__` of ours gives it another meaning,
and only the resolver imports by a string.
"""

import json
import subprocess
import sys

from yoto_tf.data import write_image

_SCRIPT = """
import json, sys
from yoto_tf import cli
NAMES = ("__getattr__", "import_module", "resolve_name")
ROOMS = ("/yoto_tf/", "/zoo/", "/export/")
calls, films = [], []


def note(frame, event, argument):
    code, caller = frame.f_code, frame.f_back and frame.f_back.f_code.co_filename
    if event != "call" or not caller:
        return
    # A package that loads its names on first use does so by `lazy_loader`.
    files = (*ROOMS, "lazy_loader/__init__.py")
    if code.co_name in NAMES and any(f in caller + code.co_filename for f in files):
        calls.append([code.co_name, caller])
    if code.co_name == "scale_and_shift" and code.co_filename.endswith("film.py"):
        films.append(1)


sys.setprofile(note)
status = cli.main(sys.argv[1:])
sys.setprofile(None)
print(json.dumps([status, len(films), calls]))
"""


def test_followed(release_folder, photograph, tmp_path):
    write_image(tmp_path / "a.png", photograph[:64, :64])
    how = ["--coefficients", "distortion=0.02", "--model", str(release_folder)]
    command = ["compress", str(tmp_path / "a.png"), str(tmp_path / "a.yoto"), *how]
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, *command], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    status, films, calls = json.loads(done.stdout.splitlines()[-1])
    assert status == 0
    assert films > 0
    assert {caller.rpartition("/")[2] for _, caller in calls} == {"resolver.py"}
