"""The cache forgets what is written, whoever was reading meanwhile."""

import threading
from concurrent.futures import ThreadPoolExecutor

from metastore.cache import Cache


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_answer_is_remembered_for_its_seconds_and_no_longer() -> None:
    clock = Clock()
    cache: Cache[str, int] = Cache(2.0, clock)
    answers = iter([1, 2])
    assert cache.get("a", lambda: next(answers)) == 1
    clock.now = 1.9
    assert cache.get("a", lambda: next(answers)) == 1
    clock.now = 2.0
    assert cache.get("a", lambda: next(answers)) == 2


def test_zero_seconds_remember_nothing() -> None:
    cache: Cache[str, int] = Cache(0)
    assert cache.get("a", lambda: 1) == 1
    assert cache.get("a", lambda: 2) == 2


def test_answer_that_was_on_its_way_during_a_write_is_not_kept() -> None:
    cache: Cache[str, str] = Cache(60)
    loading, written = threading.Event(), threading.Event()

    def slow_load() -> str:
        loading.set()
        assert written.wait(10)
        return "old"

    with ThreadPoolExecutor(1) as pool:
        reader = pool.submit(cache.get, "a", slow_load)
        assert loading.wait(10)
        with cache.writing("a"):
            pass
        written.set()
        assert reader.result(10) == "old"
    assert cache.get("a", lambda: "new") == "new"


def test_list_keeps_all_but_what_was_written_meanwhile() -> None:
    cache: Cache[str, int] = Cache(60)
    with cache.reading() as reading:
        cache.forget("b")
        for key in "abc":
            reading.keep(key, 1)
    assert [cache.peek(key) for key in "abc"] == [1, None, 1]


def test_failed_write_forgets_too() -> None:
    cache: Cache[str, int] = Cache(60)
    cache.get("a", lambda: 1)
    try:
        with cache.writing("a"):
            raise ValueError
    except ValueError:
        assert cache.peek("a") is None


def test_no_reader_sees_less_than_the_last_write_that_returned() -> None:
    """Writers count upwards; a reader that starts after a write returned must see at least it."""
    cache: Cache[str, int] = Cache(60)
    stored, returned = 0, 0
    lock = threading.Lock()
    stop = threading.Event()
    stale: list[tuple[int, int]] = []

    def write() -> None:
        nonlocal stored, returned
        for _ in range(3000):
            with lock, cache.writing("a"):
                stored += 1
            returned = stored

    def read() -> None:
        while not stop.is_set():
            least = returned
            seen = cache.get("a", lambda: stored)
            if seen < least:
                stale.append((seen, least))

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    write()
    stop.set()
    for reader in readers:
        reader.join(10)
    assert stale == []
    assert cache.get("a", lambda: stored) == 3000
