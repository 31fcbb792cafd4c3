# Installs yoto_tf, unless it is there: half a minute on Colab, nothing afterwards. It
# comes from the clone that the notebook lies in; or from a wheel beside the notebook or
# on your Drive, once that is mounted; or else from the project's home.
import glob
import importlib.metadata
import importlib.util
import os
import subprocess
import sys

# What TensorFlow has to say of this machine's devices is of no interest here.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def installed():
    importlib.invalidate_caches()
    return {
        package.metadata["Name"]: package.version
        for package in importlib.metadata.distributions()
    }


class RestartNeeded(Exception):
    def _render_traceback_(self):
        # Jupyter shows these lines in place of a traceback.
        return [str(self)]


def source():
    clone = os.path.dirname(os.getcwd())
    if os.path.exists(os.path.join(clone, "colab", "first_cell.py")):
        return clone
    for folder in (os.getcwd(), "/content/drive/MyDrive"):
        wheels = glob.glob(os.path.join(glob.escape(folder), "yoto_tf-*.whl"))
        if wheels:
            return max(wheels, key=os.path.getmtime)
    return "git+REPOSITORY"


if importlib.util.find_spec("yoto_tf") is None:
    before = installed()
    source = source()
    print(f"Installing from {source}", flush=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, source], check=True)
    after = installed()
    # On Python 3.13, as in Colab today, nothing is replaced that comes with it. On 3.12
    # NumPy and TensorFlow are, and those that this session had in use stay in use until
    # it ends. Setuptools gives Python 3.12 its distutils, and does so only when Python
    # starts.
    owners = importlib.metadata.packages_distributions()
    in_use = {name for module in list(sys.modules) for name in owners.get(module, ())}
    in_use.add("setuptools")
    stale = sorted(name for name in in_use if before.get(name) != after.get(name))
    if stale:
        raise RestartNeeded(
            "RESTART NEEDED: choose Runtime > Restart session, then Runtime > Run all. "
            f"Replaced while in use: {', '.join(stale)}."
        )
print("yoto_tf is installed. No restart is needed.")
