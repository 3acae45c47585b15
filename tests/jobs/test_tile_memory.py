"""The memory of tiles: what was asked lately is not made again, and its bound holds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from qianmo.jobs.queries.tile_memory import TileMemory


def test_the_same_key_is_made_once_and_the_oldest_goes_first():
    memory, made = TileMemory(80), []

    def tile(key: str) -> bytes:
        return memory.get(key, lambda: made.append(key) or key.encode() * 10)

    for key in "abcdefgh":  # eight of ten bytes fill it
        assert tile(key) == key.encode() * 10
    assert tile("a") == b"a" * 10 and made == list("abcdefgh")
    tile("i")  # b was asked for longest ago
    assert tile("a") == b"a" * 10 and made[-1] == "i"
    tile("b")
    assert made[-1] == "b"


def test_an_answer_larger_than_an_eighth_is_given_and_not_kept():
    memory, made = TileMemory(80), []
    for _ in range(2):
        assert memory.get("x", lambda: made.append(1) or b"x" * 11) == b"x" * 11
    assert len(made) == 2 and memory.held == 0


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 30)), max_size=60))
def test_what_is_held_is_counted_right_and_never_beyond_the_bound(asked):
    memory = TileMemory(100)
    for key, size in asked:
        memory.get((key, size), lambda size=size: bytes(size))
        assert memory.held == sum(len(v) for v in memory._answers.values()) <= 100
