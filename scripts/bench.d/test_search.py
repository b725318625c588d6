"""What of the search bench needs no database: who has what, and what has to be found."""

import unittest

from judging import expected
from tenants import owners

KINDS = ["largest", "large", "middle", "thousandth", "small"]


class Tenants(unittest.TestCase):
    def test_every_kind_is_there_in_a_library_of_any_size(self):
        for scenes in (10_000, 50_000, 1_000_000):
            kinds = {owner.email.rsplit("-", 1)[0] for owner in owners(scenes)}
            self.assertEqual(kinds, set(KINDS), scenes)

    def test_addresses_are_one_persons_and_scenes_add_up(self):
        all_of_them = owners(1_000_000)
        self.assertEqual(len({owner.email for owner in all_of_them}), len(all_of_them))
        self.assertEqual(sum(owner.scenes for owner in all_of_them), 1_000_000)
        self.assertEqual(all_of_them[0].scenes, 500_000)


class Recall(unittest.TestCase):
    def test_a_page_that_is_rightly_empty_is_not_judged(self):
        self.assertEqual(expected([]), set())
        # Above the floor, but nobody would believe in it.
        self.assertEqual(expected([("a", 0.28), ("b", 0.2)]), set())

    def test_what_is_above_the_floor_of_a_page_that_is_believed_in_must_be_found(self):
        self.assertEqual(expected([("a", 0.5), ("b", 0.2), ("c", 0.17)]), {"a", "b"})


if __name__ == "__main__":
    unittest.main()
