"""When may an answer say how old it is?"""

from projectors.consumer.watermark import Level


def test_nothing_is_reached_before_anything_was_observed():
    assert Level().reached([0, 0]) is None


def test_the_latest_moment_whose_heads_are_reached_counts():
    level = Level()
    level.observe(1.0, [5, 0])
    level.observe(2.0, [6, 1])
    level.observe(3.0, [9, 1])
    assert level.reached([6, 1]) == 2.0


def test_one_partition_behind_is_behind():
    level = Level()
    level.observe(1.0, [5, 7])
    assert level.reached([9, 6]) is None


def test_a_moment_is_news_once():
    level = Level()
    level.observe(1.0, [5])
    assert level.reached([5]) == 1.0
    assert level.reached([5]) is None


def test_under_steady_traffic_the_age_stays_small():
    level = Level()
    reached = []
    for second in range(100):
        level.observe(float(second), [second * 10])
        reached.append(level.reached([max(0, second * 10 - 15)]))
    assert reached[-1] == 97.0
