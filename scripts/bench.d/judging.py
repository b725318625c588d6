"""What a vector channel has to find, of what exact search finds: the API shows nothing that it does not believe in."""

import math

FLOOR, EVEN = 0.18, 0.43
"""Of both offline models: cosine similarities below which there is no find, and that is right as probably as not."""
AT_FLOOR, PAGE = 0.02, 0.115
"""As in `api/src/search/belief.rs`: what is believed at the floor, and what the surest hit of a page must be believed by."""
ROOM = 0.005
"""For the other arithmetic: the index has half precision."""


def believed(cosine: float) -> float:
    """How probably a scene of that similarity is what is looked for."""
    steepness = math.log((1 - AT_FLOOR) / AT_FLOOR) / (EVEN - FLOOR)
    return 1 / (1 + math.exp(-steepness * (cosine - EVEN)))


def expected(nearest: list[tuple[str, float]]) -> set[str]:
    """Of the nearest scenes (id, cosine similarity; best first) those that must be found. Where not even the first is believed in, the
    page is rightly empty: there is nothing to judge."""
    if not nearest or believed(nearest[0][1] - ROOM) < PAGE:
        return set()
    return {scene for scene, cosine in nearest if cosine >= FLOOR + ROOM}
