"""Tasks of several processes, of which few are begun before their results are wanted. No TensorFlow."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_turn(
    pool: ProcessPoolExecutor,
    task: Callable[[Item], Result],
    items: Iterable[Item],
    processes: int,
    last: bool = False,
) -> Iterator[Result]:
    """What comes of a task for each item, in order.

    processes: those of the pool. last: the pool ends then; it ends in any case when not all results are asked for.
    Raises BrokenProcessPool where a process was ended from outside, and what a task raises.
    """
    begun: deque[Future[Result]] = deque()
    try:
        for item in items:
            begun.append(pool.submit(task, item))
            if len(begun) > 2 * processes:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()
    except BaseException:
        pool.shutdown(cancel_futures=True)
        raise
    if last:
        pool.shutdown()
