"""How good a ranking is. Pure functions: rankings and judgements in, figures out.

A ranking is a list of ids, best first. Judgements (`relevant`) are ids with grades above 0; what is not among them is not relevant.
"""

import math
import random
from collections.abc import Callable, Mapping, Sequence

CUTOFFS = (1, 5, 10)


def recall_at(k: int, ranking: Sequence[str], relevant: Mapping[str, int]) -> float:
    """The part of the relevant ids that is among the first `k`; of no more of them than `k` places can hold (capped recall, as BEIR has
    it, Thakur et al. 2021): a perfect ranking has 1 at any `k`."""
    found = len(set(ranking[:k]) & relevant.keys())
    return found / min(k, len(relevant))


def reciprocal_rank(ranking: Sequence[str], relevant: Mapping[str, int]) -> float:
    """1 / the place of the first relevant id; 0 without one."""
    return next((1 / place for place, one in enumerate(ranking, 1) if one in relevant), 0.0)


def ndcg_at(k: int, ranking: Sequence[str], relevant: Mapping[str, int]) -> float:
    """Normalized discounted cumulative gain (Järvelin, Kekäläinen 2002) with gain 2^grade - 1 and discount log2(1 + place), as Burges et
    al. (2005) and web search after them have it; with grades of 0 and 1 both forms are the same.

    An id that comes twice gains once.
    """
    seen: set[str] = set()
    gained = 0.0
    for place, one in enumerate(ranking[:k], 1):
        if one not in seen:
            gained += gain(relevant.get(one, 0)) / math.log2(1 + place)
            seen.add(one)
    ideal = sum(gain(grade) / math.log2(1 + place) for place, grade in enumerate(sorted(relevant.values(), reverse=True)[:k], 1))
    return gained / ideal


def gain(grade: int) -> int:
    return 2**grade - 1


def figures(ranking: Sequence[str], relevant: Mapping[str, int]) -> dict[str, float]:
    """All of one query."""
    return {**{f"recall_at_{k}": recall_at(k, ranking, relevant) for k in CUTOFFS},
            "mrr": reciprocal_rank(ranking, relevant), "ndcg_at_10": ndcg_at(10, ranking, relevant)}


NAMES = (*(f"recall_at_{k}" for k in CUTOFFS), "mrr", "ndcg_at_10")


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def means(of_queries: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Every query counts the same."""
    return {name: mean([one[name] for one in of_queries]) for name in NAMES}


def interval(values: Sequence[float], of: Callable[[Sequence[float]], float] = mean, rounds: int = 2000, seed: int = 1) -> tuple[float, float]:
    """The middle 95 % of a statistic over samples drawn from the values with replacement (percentile bootstrap). The same every time."""
    draw = random.Random(seed)
    found = sorted(of(draw.choices(values, k=len(values))) for _ in range(rounds))
    return found[math.floor(0.025 * (rounds - 1))], found[math.ceil(0.975 * (rounds - 1))]


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent of all are not above (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]


def overlap(one: tuple[int, int], other: tuple[int, int]) -> int:
    return max(0, min(one[1], other[1]) - max(one[0], other[0]))


def match(golden: Mapping[str, tuple[int, int]], indexed: Mapping[str, tuple[int, int]], least: float = 0.5) -> dict[str, str]:
    """Which indexed scene of a video is which golden one: the one that covers most of it, and at least half. Intervals in milliseconds."""
    matched = {}
    for name, span in golden.items():
        best = max(indexed, key=lambda scene: overlap(span, indexed[scene]), default=None)
        if best is not None and overlap(span, indexed[best]) >= least * (span[1] - span[0]):
            matched[name] = best
    return matched
