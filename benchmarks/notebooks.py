"""The notebooks as on a new Colab machine: installed, restarted, run to the end.

    python benchmarks/notebooks.py --python python3.13 --repository file:///CLONE

makes a virtual environment of that Python with what matters of the packages that Colab
has, today with 3.13 and until August 2026 with 3.12, and a session in which, as there,
NumPy and Matplotlib are in use from the start. In it the first cell installs the
package from the repository and says whether a restart is needed; on 3.13 it must not
be. Then every notebook runs from its top to its end in a session of its own. Prints the
seconds that each took, by the clock and of processors, and writes them to
`results/notebooks.json`. Nothing else should be running; where something is, the
clock's are too many.

With `--short` the cells that train or scale take what their metadata say, and nothing
is written: for CI. With `--store` the notebooks in `colab` get the outputs, and its
table of contents the pictures. Needs the extra `test`.
"""

import argparse
import importlib.util
import json
import os
import re
import resource
import subprocess
import tempfile
import time
from pathlib import Path

import nbclient
import nbformat
from stored_notebooks import store

from yoto_tf.machine.atomic_files import write_atomically

RESULTS = Path(__file__).parent / "results" / "notebooks.json"
BUILD = Path(__file__).parents[1] / "colab" / "build.py"
# {Python: of Colab's packages, those that a notebook or its kernel uses}.
COLAB = {
    "3.12": (
        "ipykernel==6.17.1",
        "ipython==7.34.0",
        "ipywidgets==7.7.1",
        "matplotlib==3.10.0",
        "numpy==2.0.2",
        "pillow==11.3.0",
    ),
    "3.13": (
        "ipykernel==6.17.1",
        "ipython==7.34.0",
        "ipywidgets==7.7.1",
        "jax==0.7.2",
        "keras==3.13.2",
        "keras-hub==0.26.0",
        "matplotlib==3.10.0",
        "numpy==2.1.3",
        "protobuf==5.29.6",
        "setuptools==75.2.0",
        "tensorflow==2.20.0",
        "tensorflow-datasets==4.9.10",
        "tensorflow-hub==0.16.1",
    ),
}
# There the first cell replaces what is in use.
WITH_RESTART = ("3.12",)
# What decides how fast the notebooks are.
REPORTED = ("keras", "matplotlib", "numpy", "tensorflow")
VERSIONS = """
import importlib.metadata, json, platform, sys
versions = {name: importlib.metadata.version(name) for name in sys.argv[1:]}
print(json.dumps({"python": platform.python_version(), **versions}))
"""
RESTART = re.compile(r"RESTART NEEDED.*in use: (.*)\.")


class Machine:
    """A Python that notebooks run on, with a folder for all that they write.

    Args:
        python: its program; `ipykernel` is installed there.
        folder: an empty one.
    """

    def __init__(self, python, folder):
        self.python, self.folder = Path(python), Path(folder)
        prefix = self.folder / "jupyter"
        self._python("-m", "ipykernel", "install", "--prefix", prefix, "--name", "new")
        settings = self.folder / "ipython" / "profile_default"
        settings.mkdir(parents=True)
        # Colab's sessions begin with it.
        (settings / "ipython_kernel_config.py").write_text(
            "c.IPKernelApp.matplotlib = 'inline'\n"
        )
        self.temporary = self.folder / "temporary"
        self.temporary.mkdir()
        os.environ["JUPYTER_PATH"] = str(prefix / "share" / "jupyter")

    def run(self, notebook):
        """Executes a notebook in a new session, and raises what a cell of it does.

        Returns:
            {"seconds": by the clock, "processor_seconds": of all its processes}, those
            of the session's start among them.
        """
        environment = {
            **os.environ,
            "IPYTHONDIR": str(self.folder / "ipython"),
            "PATH": f"{self.python.parent}{os.pathsep}{os.environ['PATH']}",
            "TMPDIR": str(self.temporary),
            # Its debugger's warning is of no interest here.
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        }
        # It would take the place of the one that shows pictures in the notebook.
        environment.pop("MPLBACKEND", None)
        began, used = time.perf_counter(), _processor_seconds()
        with tempfile.TemporaryDirectory(dir=self.folder) as home:
            nbclient.NotebookClient(
                notebook, kernel_name="new", resources={"metadata": {"path": home}}
            ).execute(env=environment)
        return {
            "seconds": round(time.perf_counter() - began),
            "processor_seconds": round(_processor_seconds() - used),
        }

    def install(self, notebook):
        """Runs a notebook's first cell of code alone.

        Returns:
            What `run` does, and "restart": the packages that it is needed for.
        """
        [cell, *_] = [cell for cell in notebook.cells if cell.cell_type == "code"]
        cell = nbformat.from_dict(cell)
        # It ends with an exception where a restart is needed.
        cell.metadata["tags"] = ["raises-exception"]
        row = self.run(nbformat.v4.new_notebook(cells=[cell]))
        errors = [output for output in cell.outputs if output.output_type == "error"]
        restart = []
        for error in errors:
            needed = RESTART.fullmatch(error.evalue)
            if not needed:
                raise RuntimeError(f"the installation fails: {error.evalue}")
            restart = needed[1].split(", ")
        return {**row, "restart": restart}

    def versions(self, names):
        """{"python": its version, and those of the packages of these names}."""
        return json.loads(self._python("-c", VERSIONS, *names))

    def _python(self, *arguments):
        command = [self.python, *arguments]
        return subprocess.run(
            command, check=True, stdout=subprocess.PIPE, text=True
        ).stdout


def _processor_seconds():
    """Those of all the processes that were started from here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def colab(python, folder):
    """A Python's version, such as 3.13, and a new `Machine` like a Colab's with it."""
    environment = folder / "environment"
    subprocess.run([python, "-m", "venv", environment], check=True)
    program = environment / "bin" / "python"
    [library] = (environment / "lib").iterdir()
    version = library.name.removeprefix("python")
    if version not in COLAB:
        raise SystemExit(f"{python} is {version}, expected one of {', '.join(COLAB)}")
    pip = [program, "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, *COLAB[version]], check=True)
    return version, Machine(program, folder)


def shorten(notebook):
    """Gives a notebook's cells the text that their metadata have for short runs."""
    for cell in notebook.cells:
        cell.source = cell.metadata.get("short", cell.source)
    return notebook


def built(repository):
    """{name: notebook} of all, which install the package from the repository."""
    spec = importlib.util.spec_from_file_location("build", BUILD)
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    return {
        name: nbformat.reads(build.build(name, repository), as_version=4)
        for name in build.names()
    }


def pictures(notebook):
    """How many pictures a notebook that has run shows."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    return sum("image/png" in output.get("data", {}) for output in outputs)


def measure(machine, notebooks):
    """Installs, runs all notebooks and prints a line for each; returns the results.

    Args:
        machine: a `Machine`.
        notebooks: {name: notebook}; they get their outputs.
    """
    installation = machine.install(next(iter(notebooks.values())))
    restart = ", ".join(installation["restart"]) or "nothing"
    print(_row("installation", installation), f"restart for {restart}", flush=True)
    rows = {}
    for name, notebook in notebooks.items():
        row = machine.run(notebook)
        rows[name] = {**row, "pictures": pictures(notebook)}
        print(_row(name, row), f"{rows[name]['pictures']} pictures", flush=True)
    return {
        "cores": os.cpu_count(),
        "versions": machine.versions(REPORTED),
        "installation": installation,
        "notebooks": rows,
    }


def _row(name, row):
    return (
        f"{name:24}{row['seconds']:6} s{row['processor_seconds']:6} s of processors  "
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--python", default="python3.13")
    parser.add_argument("--repository", required=True, help="after git+")
    parser.add_argument("--short", action="store_true", help="short settings, for CI")
    parser.add_argument("--store", action="store_true", help="keep outputs in colab")
    options = parser.parse_args()
    notebooks = built(options.repository)
    if options.short:
        notebooks = {name: shorten(each) for name, each in notebooks.items()}
    with tempfile.TemporaryDirectory(prefix="notebooks-") as folder:
        python, machine = colab(options.python, Path(folder))
        results = measure(machine, notebooks)
    restart = results["installation"]["restart"]
    if restart and python not in WITH_RESTART:
        raise SystemExit(f"a restart is needed for {', '.join(restart)}, expected none")
    if options.store:
        for name, notebook in notebooks.items():
            store(name, notebook)
    if not options.short:
        earlier = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
        text = json.dumps({**earlier, python: results}, indent=2, sort_keys=True)
        write_atomically(RESULTS, f"{text}\n".encode())


if __name__ == "__main__":
    main()
