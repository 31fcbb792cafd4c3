# Installs yoto_tf, unless it is there: some minutes on Colab, nothing afterwards. In a
# clone of the repository it is the clone that is installed.
import importlib.metadata
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

# What TensorFlow has to say of this machine's devices is of no interest here.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def installed():
    importlib.invalidate_caches()
    return {
        package.metadata["Name"]: package.version
        for package in importlib.metadata.distributions()
    }


if importlib.util.find_spec("yoto_tf") is None:
    before = installed()
    clone = Path.cwd().parent
    is_clone = (clone / "colab" / "first_cell.py").exists()
    source = str(clone) if is_clone else "git+REPOSITORY"
    pip = [sys.executable, "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, source], check=True)
    after = installed()
    # Colab comes with other versions of NumPy and TensorFlow. Those that this session
    # had in use when they were replaced stay in use until it ends. Setuptools gives
    # Python 3.12 its distutils, and does so only when Python starts.
    owners = importlib.metadata.packages_distributions()
    in_use = {name for module in list(sys.modules) for name in owners.get(module, ())}
    in_use.add("setuptools")
    stale = sorted(name for name in in_use if before.get(name) != after.get(name))
    if stale:
        raise SystemExit(
            "RESTART NEEDED: choose Runtime > Restart session, then Runtime > Run all. "
            f"Replaced while in use: {', '.join(stale)}."
        )
print("yoto_tf is installed. No restart is needed.")
