"""Do work on the machines of a Ray cluster: an item in steps, each of which any machine can do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from ...errors import UsageError, VideoposeError
from ..progress import ManyBars, ReportError, say
from .tasks import Item

Item_contra = TypeVar("Item_contra", contravariant=True)

_RETRIES = 5  # of a step whose machine or process dies
_WAITING = 2  # steps submitted for each core of the cluster


@dataclass(frozen=True)
class Step:
    """What one step of an item gives.

    Attributes:
        done: How many parts of the item are done, in all.
        total: How many there are; None if that is not known.
        state: What the next step needs; None if the item is done.
        lines: Lines for the user.
    """

    done: int
    total: int | None
    state: bytes | None
    lines: tuple[str, ...] = ()


class StepTask(Protocol[Item_contra]):
    """Work on items in steps. It can be pickled. A step that is done twice gives the same."""

    def step(self, item: Item_contra, state: bytes | None) -> Step:
        """Do one step of an item, from the state that the step before gave; None for the first."""


class ClusterError(VideoposeError):
    """A cluster cannot be reached, or its machines fail."""


def do_on_ray(
    task: StepTask[Item],
    items: Sequence[Item],
    failed: ReportError,
    finished: Callable[[Item], None],
    *,
    address: str | None,
) -> None:
    """Do the work on all items on a Ray cluster, and show the progress here.

    The state between two steps is kept in this process. If a machine dies, only the steps that it was doing
    are done again, by others.

    Args:
        task: The work. videopose has to be installed on all machines.
        items: The items.
        failed: Called for each item that failed.
        finished: Called with each item that did not fail.
        address: The cluster's address, as `ray.init` takes it; None starts Ray on this machine.

    Raises:
        UsageError: Ray is not installed.
        ClusterError: The cluster cannot be reached.
    """
    ray = _import_ray()
    try:
        ray.init(address=address, logging_level="ERROR", log_to_driver=False)
    except (ConnectionError, ValueError, RuntimeError) as error:
        where = address or "this machine"
        raise ClusterError(f"no Ray cluster can be reached at {where}: {_first_line(error)}") from error
    try:
        remote = ray.remote(max_retries=_RETRIES, num_cpus=1)(_do_step)
        shared = ray.put(task)
        waiting = list(reversed(items))
        running: dict[Any, tuple[Item, Any]] = {}
        with ManyBars(unit="frames/s") as bars:
            while waiting or running:
                room = _WAITING * max(1, int(ray.cluster_resources().get("CPU", 1))) - len(running)
                while waiting and room > 0:
                    item, room = waiting.pop(), room - 1
                    running[remote.remote(shared, item, None)] = (item, None)
                (ready, *_), _ = ray.wait(list(running), num_returns=1)
                item, bar = running.pop(ready)
                step = _result(ray, ready, item)
                if isinstance(step, Exception):
                    failed(step)
                    _end(bars, bar)
                    continue
                bar = bar or (bars.begin(f"working on {item}", step.total), [0])
                bars.advance(bar[0], step.done - bar[1][0])
                bar[1][0] = step.done
                for line in step.lines:
                    say(line)
                if step.state is None:
                    _end(bars, bar)
                    finished(item)
                else:
                    running[remote.remote(shared, item, step.state)] = (item, bar)
    finally:
        ray.shutdown()


def _end(bars: ManyBars, bar: Any) -> None:
    if bar is not None:
        bars.end(bar[0])


def _do_step(task: StepTask[Any], item: Any, state: bytes | None) -> Step | Exception:
    """Do one step on a machine of the cluster. An error is returned, because Ray would wrap it."""
    try:
        return task.step(item, state)
    except VideoposeError as error:
        return error


def _result(ray: Any, ready: Any, item: object) -> Step | Exception:
    """Return what a step gave, or why it could not be done."""
    try:
        result: Step | Exception = ray.get(ready)
    except ray.exceptions.RayError as error:
        return ClusterError(f"{item}: the cluster could not do it ({_first_line(error)})")
    return result


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


def _import_ray() -> Any:
    try:
        import ray
    except ImportError:
        raise UsageError("--engine ray needs Ray: pip install 'videopose[ray]'") from None
    return ray
