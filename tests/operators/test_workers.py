"""Sums of chunks on several threads: fixed order, and errors in a thread."""

import threading
import time

import pytest
import torch

from pinnkit.operators.workers import Workers


def numbers(chunk):
    """Numbers whose sum depends on the order by rounding: fresh tensors each time."""
    generator = torch.Generator().manual_seed(chunk)
    size = 10.0 ** (chunk % 7)
    return torch.rand(3, dtype=torch.float64, generator=generator) * size, torch.tensor([float(chunk)])


def summed(chunks):
    total = [one.clone() for one in numbers(chunks[0])]
    for chunk in chunks[1:]:
        for mine, more in zip(total, numbers(chunk), strict=True):
            mine += more
    return total


@pytest.mark.parametrize("count", [1, 2, 3, 20])
def test_each_worker_sums_its_chunks_and_workers_are_summed_in_order(count):
    chunks = list(range(13))
    shares = [summed(chunks[worker::count]) for worker in range(min(count, len(chunks)))]
    expected = [sum(parts[1:], parts[0].clone()) for parts in zip(*shares, strict=True)]
    for _ in range(5):
        found = Workers(count).total(numbers, chunks)
        for one, other in zip(found, expected, strict=True):
            assert torch.equal(one, other)
    assert float(found[1]) == sum(chunks)


def test_the_order_is_kept_when_the_first_worker_is_the_last_to_finish():
    def slow(chunk):
        time.sleep(0.03 if chunk == 0 else 0.0)
        return numbers(chunk)

    expected = Workers(3).total(numbers, list(range(9)))
    found = Workers(3).total(slow, list(range(9)))
    assert torch.equal(found[0], expected[0])
    assert float(Workers(5).total(numbers, [7])[1]) == 7.0


def test_chunks_are_worked_on_at_once_by_as_many_threads():
    meeting, seen = threading.Barrier(3), set()

    def together(chunk):
        seen.add(threading.get_ident())
        meeting.wait(timeout=10)  # breaks where one thread would work on them in turn
        return (torch.ones(1),)

    assert float(Workers(3).total(together, [0, 1, 2])[0]) == 3.0
    assert len(seen) == 3


@pytest.mark.parametrize("bad", [0, 1, 5])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_an_error_in_any_thread_reaches_the_caller(bad, count):
    def fails(chunk):
        if chunk == bad:
            raise MemoryError(f"chunk {chunk}")
        return numbers(chunk)

    workers = Workers(count)
    with pytest.raises(MemoryError, match=f"chunk {bad}"):
        workers.total(fails, list(range(6)))
    assert float(workers.total(numbers, [1, 2])[1]) == 3.0  # and they go on working


def test_threads_of_workers_leave_torch_one_thread_each():
    former = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        seen = {}

        def look(chunk):
            time.sleep(0.02)
            seen[chunk] = torch.get_num_threads()
            return (torch.zeros(1),)

        Workers(2).total(look, [0, 1])
        assert seen[1] == 1
    finally:
        torch.set_num_threads(former)
