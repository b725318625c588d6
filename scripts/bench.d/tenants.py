"""Who has how many scenes in the made-up library."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Owner:
    email: str
    scenes: int
    people: int
    """Named ones."""

    @property
    def scenes_a_video(self) -> int:
        return 25 if self.scenes <= 1000 else 100


def owners(scenes: int) -> list[Owner]:
    """Half of everything is one person's; tenths are in libraries of some thousands; the rest is in small ones of fifty."""
    kinds = [("largest", scenes // 2, 1), ("large", scenes // 50, 10), ("middle", scenes // 200, 20), ("thousandth", scenes // 1000, 100)]
    rest = scenes - sum(size * count for _, size, count in kinds)
    kinds.append(("small", 50, max(1, rest // 50)))
    return [Owner(f"{kind}-{number}@bench.example", size, 200 if size > 100_000 else 20 if size > 1000 else 3)
            for kind, size, count in kinds for number in range(1, count + 1)]
