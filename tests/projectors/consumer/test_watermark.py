"""Watermark: the latest moment whose log is applied in full."""

from projectors.consumer.assignments import Watermark


def test_watermark_reaches_nothing_before_first_observation():
    assert Watermark().reached([0, 0]) is None


def test_watermark_is_latest_moment_whose_heads_are_reached():
    watermark = Watermark()
    watermark.observe(1.0, [5, 0])
    watermark.observe(2.0, [6, 1])
    watermark.observe(3.0, [9, 1])
    assert watermark.reached([6, 1]) == 2.0


def test_watermark_waits_for_every_partition():
    watermark = Watermark()
    watermark.observe(1.0, [5, 7])
    assert watermark.reached([9, 6]) is None


def test_watermark_reports_each_moment_once():
    watermark = Watermark()
    watermark.observe(1.0, [5])
    assert watermark.reached([5]) == 1.0
    assert watermark.reached([5]) is None


def test_watermark_age_stays_small_under_steady_traffic():
    watermark = Watermark()
    reached = []
    for second in range(100):
        watermark.observe(float(second), [second * 10])
        reached.append(watermark.reached([max(0, second * 10 - 15)]))
    assert reached[-1] == 97.0
