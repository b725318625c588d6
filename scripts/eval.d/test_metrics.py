"""Figures against what a person works out by hand."""

import math
import unittest

import metrics


class Rankings(unittest.TestCase):
    def test_recall_is_of_what_the_places_can_hold(self):
        relevant = {"a": 2, "b": 2, "c": 1}
        self.assertEqual(metrics.recall_at(1, ["a", "x"], relevant), 1.0)
        self.assertEqual(metrics.recall_at(5, ["x", "a", "y", "c"], relevant), 2 / 3)
        self.assertEqual(metrics.recall_at(10, [], relevant), 0.0)
        self.assertEqual(metrics.recall_at(5, ["a", "a", "a"], relevant), 1 / 3)

    def test_reciprocal_rank_is_of_the_first_relevant_one(self):
        self.assertEqual(metrics.reciprocal_rank(["x", "y", "a", "b"], {"a": 1, "b": 2}), 1 / 3)
        self.assertEqual(metrics.reciprocal_rank(["x"], {"a": 1}), 0.0)

    def test_ndcg_by_hand(self):
        # Gains: grade 2 is 3, grade 1 is 1. Discounts of the places 1, 2, 3: log2(2) = 1, log2(3) = 1.58496, log2(4) = 2.
        relevant = {"a": 2, "b": 1}
        found = metrics.ndcg_at(10, ["x", "b", "a"], relevant)
        self.assertAlmostEqual(found, (1 / 1.5849625 + 3 / 2) / (3 + 1 / 1.5849625), places=6)
        self.assertAlmostEqual(found, 0.586883, places=6)

    def test_ndcg_of_the_best_and_of_the_worst_order(self):
        relevant = {"a": 2, "b": 2, "c": 1}
        self.assertEqual(metrics.ndcg_at(10, ["b", "a", "c", "x"], relevant), 1.0)
        self.assertEqual(metrics.ndcg_at(10, ["x", "y"], relevant), 0.0)
        self.assertEqual(metrics.ndcg_at(1, ["x", "a"], relevant), 0.0)

    def test_ndcg_counts_an_id_once(self):
        self.assertAlmostEqual(metrics.ndcg_at(10, ["a", "a"], {"a": 1, "b": 1}), 1 / (1 + 1 / math.log2(3)))

    def test_more_relevant_ids_than_places_do_not_lower_the_best(self):
        relevant = {str(number): 2 for number in range(13)}
        ranking = [str(number) for number in range(10)]
        self.assertEqual(metrics.figures(ranking, relevant), {name: 1.0 for name in metrics.NAMES})


class Samples(unittest.TestCase):
    def test_means_give_every_query_the_same_weight(self):
        one, other = ({name: value for name in metrics.NAMES} for value in (1.0, 0.5))
        self.assertEqual(metrics.means([one, other])["mrr"], 0.75)

    def test_intervals_hold_the_mean_and_come_out_the_same(self):
        values = [0.0] * 20 + [1.0] * 80
        low, high = metrics.interval(values)
        # Binomial: 0.8 ± 1.96 · √(0.8 · 0.2 / 100) = 0.72 to 0.88.
        self.assertAlmostEqual(low, 0.72, delta=0.02)
        self.assertAlmostEqual(high, 0.88, delta=0.02)
        self.assertEqual((low, high), metrics.interval(values))
        self.assertEqual(metrics.interval([0.5, 0.5]), (0.5, 0.5))

    def test_percentiles_by_nearest_rank(self):
        values = [15, 20, 35, 40, 50]
        self.assertEqual([metrics.percentile(values, percent) for percent in (5, 30, 40, 50, 100)], [15, 20, 20, 35, 50])


class Scenes(unittest.TestCase):
    def test_a_golden_scene_is_the_indexed_one_that_covers_half_of_it(self):
        golden = {"v/1": (0, 4000), "v/2": (4000, 8000), "v/3": (8000, 9000)}
        indexed = {"a": (0, 4100), "b": (4100, 6200), "c": (6200, 8000)}
        self.assertEqual(metrics.match(golden, indexed), {"v/1": "a", "v/2": "b"})

    def test_two_golden_scenes_can_be_one_indexed_scene(self):
        self.assertEqual(metrics.match({"v/1": (0, 10), "v/2": (10, 20)}, {"a": (0, 20)}), {"v/1": "a", "v/2": "a"})

    def test_a_scene_cut_in_three_is_none(self):
        self.assertEqual(metrics.match({"v/1": (0, 90)}, {"a": (0, 30), "b": (30, 60), "c": (60, 90)}), {})
        self.assertEqual(metrics.match({"v/1": (0, 90)}, {}), {})


if __name__ == "__main__":
    unittest.main()
