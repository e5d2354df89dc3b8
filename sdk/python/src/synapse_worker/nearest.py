"""The name that was probably meant, for a "Did you mean" sentence. The same rule as on the TypeScript side."""

from __future__ import annotations

from collections.abc import Iterable

# Longer words are never compared: the distance costs the product of both lengths, and no name is longer.
_MAX_LENGTH = 64


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate that `word` is most probably a misspelling of, or None.

    Close enough is at most a third of the longer word, and at least one edit; an edit inserts, deletes or replaces a
    character or swaps two neighbours. Case is ignored. Among equals the first candidate wins.
    """
    if not 0 < len(word) <= _MAX_LENGTH:
        return None
    wanted = word.lower()
    best: str | None = None
    best_distance = _MAX_LENGTH
    for candidate in candidates:
        if not 0 < len(candidate) <= _MAX_LENGTH:
            continue
        limit = min(max(1, max(len(wanted), len(candidate)) // 3), best_distance - 1)
        if abs(len(candidate) - len(wanted)) > limit:
            continue
        distance = _distance(wanted, candidate.lower())
        # A "misspelling" that replaces the whole word is none: without this, any one-letter word resembles any other.
        if distance <= limit and distance < len(wanted):
            best, best_distance = candidate, distance
    return best


def did_you_mean(word: str, candidates: Iterable[str]) -> str:
    """The end of a sentence about a name that is not known; empty when nothing is near."""
    meant = nearest(word, candidates)
    return "" if meant is None else f' Did you mean "{meant}"?'


def _distance(left: str, right: str) -> int:
    """The optimal string alignment distance: Levenshtein, with the swap of two neighbours as one edit."""
    before_previous: list[int] = []
    previous = list(range(len(right) + 1))
    for row, here in enumerate(left, 1):
        current = [row]
        for column, there in enumerate(right, 1):
            cost = min(previous[column] + 1, current[column - 1] + 1, previous[column - 1] + (here != there))
            if row > 1 and column > 1 and here == right[column - 2] and left[row - 2] == there:
                cost = min(cost, before_previous[column - 2] + 1)
            current.append(cost)
        before_previous, previous = previous, current
    return previous[-1]
