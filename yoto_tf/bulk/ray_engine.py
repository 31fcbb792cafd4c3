"""Many pictures on many machines: Ray Data reads them, actors hold the model."""

import contextlib
import dataclasses
import logging
import os
import warnings

from yoto_tf.bulk.attempts import Attempts
from yoto_tf.bulk.places import Place, place
from yoto_tf.errors import DataError
from yoto_tf.machine.folder_lock import folder_lock
from yoto_tf.machine.muted_stderr import muted_stderr
from yoto_tf.machine.progress import progress_bar
from yoto_tf.machine.threads import thread_variables

# Of what failed, so much is told; the manifest has all.
_TOLD = 10
# At least so many, so that workers end at about the same time.
_BLOCKS_OF_WORKER = 4


@dataclasses.dataclass
class BulkReport:
    """What became of the pictures.

    Attributes:
        written: how many were converted.
        failed: how many failed.
        kept: how many earlier runs had done.
        errors: the first of the reasons.
        manifest: where the manifest is.
    """

    written: int = 0
    failed: int = 0
    kept: int = 0
    errors: list[str] = dataclasses.field(default_factory=list)
    manifest: str = ""


def convert_on_ray(task, source, target, *, workers=None, threads=1, shard_bytes=None):
    """Converts all pictures of a folder that an earlier call has not converted.

    The cluster is the one that this process is connected to, else the one that
    `RAY_ADDRESS` names, else this machine. Every machine needs this package and
    reaches both places.

    Args:
        task: a `Task`.
        source: a folder, of which all below is taken, a glob or a file; a path, or a
            URL of fsspec's.
        target: the folder to write to, likewise.
        workers: how many actors, each with a model of its own; None for as many as
            there are processors for.
        threads: how many each of them computes with.
        shard_bytes: None for an output for each input; else outputs are packed into tar
            files, each of the inputs of so many bytes.

    Returns:
        A `BulkReport`. A picture that fails is counted in it.

    Raises:
        DataError: there are no pictures, a place cannot be listed, the manifest cannot
            be written, or Ray is not installed or fails.
    """
    _check_installed()
    from yoto_tf.bulk.manifest import FOLDER, Writer
    from yoto_tf.bulk.plan import Plan, divided

    source, target = place(source), place(target)
    plan = Plan(task, source, target, shard_bytes)
    report = BulkReport(manifest=f"{target.url}/{FOLDER}")
    with _held(target), _ray() as ray:
        blocks = list(plan.blocks())
        report.kept = plan.num_done
        if not blocks:
            return report
        if workers is None:
            processors = ray.cluster_resources().get("CPU", 1)
            workers = max(1, int(processors // threads))
        if shard_bytes is None:
            blocks = divided(blocks, _BLOCKS_OF_WORKER * workers)
        blocks = [ray.put(block) for block in blocks]
        pipeline = _Pipeline(ray, task, source, target, threads, shard_bytes)
        writer = Writer(target)
        progress = progress_bar(total=plan.num_left, unit="picture")
        with progress, contextlib.ExitStack() as last:
            last.callback(writer.flush)
            for rows in pipeline.run(blocks, min(workers, len(blocks))):
                writer.add(rows)
                _count(report, rows)
                progress.update(len(rows))
    return report


class _Pipeline:
    def __init__(self, ray, task, source, target, threads, shard_bytes):
        self._ray, self._source, self._threads = ray, source, threads
        self._options = {
            "task": task,
            "threads": threads,
            "target": target,
            "packed": shard_bytes is not None,
            "attempts": _RemoteAttempts(ray),
        }

    def run(self, blocks, workers):
        """Yields parts of the manifest, as tables, for references to `WORK` tables."""
        from ray.data import ActorPoolStrategy, TaskPoolStrategy

        from yoto_tf.bulk.worker import Worker, read

        whole = {"batch_size": None, "batch_format": "pyarrow"}
        data = self._ray.data.from_arrow_refs(blocks)
        data = data.map_batches(
            read,
            fn_kwargs={"source": self._source},
            # They wait for a disk or the network.
            num_cpus=0,
            compute=TaskPoolStrategy(size=max(2, workers)),
            **whole,
        )
        data = data.map_batches(
            Worker,
            fn_constructor_kwargs=self._options,
            compute=ActorPoolStrategy(size=workers),
            # Half of what they use, so that where a machine is lost the others have
            # room for its workers. Ray fills machines by half before it goes on.
            num_cpus=self._threads / 2,
            runtime_env={"env_vars": self._variables()},
            **whole,
        )
        try:
            yield from data.iter_batches(**whole)
        except self._ray.exceptions.RayError as error:
            raise DataError(f"Ray failed: {_first_line(error)}") from error

    def _variables(self):
        variables = thread_variables(self._threads)
        variables["TF_CPP_MIN_LOG_LEVEL"] = "3"
        if backend := os.environ.get("KERAS_BACKEND"):
            variables["KERAS_BACKEND"] = backend
        return variables


class _RemoteAttempts:
    """An `Attempts` in a process of its own, on this machine, that workers ask."""

    def __init__(self, ray):
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        here = ray.get_runtime_context().get_node_id()
        self._actor = (
            ray.remote(Attempts)
            .options(
                num_cpus=0,
                scheduling_strategy=NodeAffinitySchedulingStrategy(here, soft=False),
            )
            .remote()
        )

    def enter(self, block):
        return self._asked("enter", block)

    def begin(self, key):
        return self._asked("begin", key)

    def end(self, key):
        self._actor.end.remote(key)

    def leave(self, block):
        self._actor.leave.remote(block)

    def _asked(self, method, argument):
        import ray

        return ray.get(getattr(self._actor, method).remote(argument))


def _count(report, rows):
    errors = rows["error"].drop_null().to_pylist()
    report.failed += len(errors)
    report.written += len(rows) - len(errors)
    report.errors += errors[: _TOLD - len(report.errors)]


def _check_installed():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import ray.data  # noqa: F401
        except ImportError as error:
            raise DataError(
                "an engine needs the extra ray, which is not installed or does not "
                f"work ({error}): pip install 'yoto_tf[ray]'"
            ) from error


@contextlib.contextmanager
def _ray():
    """Ray, connected; what it says is left out, and what it began is ended."""
    # Ray's own log of what is lost and restarted is in its folder.
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    # Nothing is sent to Ray's makers.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import ray
        import ray.data

        began = not ray.is_initialized()
        if began:
            try:
                with muted_stderr(unless_raised=True):
                    ray.init(log_to_driver=False, logging_level=logging.ERROR)
            # On a machine that is too busy it is a plain Exception.
            except Exception as error:
                raise DataError(f"Ray does not start: {_first_line(error)}") from error
        context = ray.data.DataContext.get_current()
        bars, context.enable_progress_bars = context.enable_progress_bars, False
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        try:
            yield ray
        finally:
            context.enable_progress_bars = bars
            if began:
                ray.shutdown()


def _held(target: Place):
    """Keeps a second run from the same local folder."""
    return folder_lock(target.path) if target.is_local else contextlib.nullcontext()


def _first_line(error):
    text = str(getattr(error, "cause", None) or error)
    return " ".join(text.split())[:300] or type(error).__name__
