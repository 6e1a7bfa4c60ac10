"""When may an answer say how old it is?"""

from projectors.consumer.watermark import Watermark


def test_nothing_is_reached_before_anything_was_observed():
    assert Watermark().reached([0, 0]) is None


def test_the_latest_moment_whose_heads_are_reached_counts():
    watermark = Watermark()
    watermark.observe(1.0, [5, 0])
    watermark.observe(2.0, [6, 1])
    watermark.observe(3.0, [9, 1])
    assert watermark.reached([6, 1]) == 2.0


def test_one_partition_behind_is_behind():
    watermark = Watermark()
    watermark.observe(1.0, [5, 7])
    assert watermark.reached([9, 6]) is None


def test_a_moment_is_news_once():
    watermark = Watermark()
    watermark.observe(1.0, [5])
    assert watermark.reached([5]) == 1.0
    assert watermark.reached([5]) is None


def test_under_steady_traffic_the_age_stays_small():
    watermark = Watermark()
    reached = []
    for second in range(100):
        watermark.observe(float(second), [second * 10])
        reached.append(watermark.reached([max(0, second * 10 - 15)]))
    assert reached[-1] == 97.0
