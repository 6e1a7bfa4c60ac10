"""Does the relay hear what is announced?"""

from threading import Event

from events.notifications import announce
from events.relay.wakeups import News, hearing
from infra import clients
from tests.fixtures.waiting import until


def test_is_taken_once():
    news = News()
    news.add({1, 2})
    news.add({2, 3})
    assert news.take() == {1, 2, 3}
    assert news.take() == set()


def test_wakes_who_asked_to_be_woken():
    news, woken = News(), Event()
    news.on_wake(woken.set)
    news.add({1})
    assert woken.is_set()
    woken.clear()
    news.on_wake(None)
    news.add({1})
    assert not woken.is_set()


def test_hears_what_is_announced(redis_url):
    clients.redis.cache_clear()
    heard: set[int] = set()
    with hearing(clients.redis()) as news:

        def has_heard():
            announce(3, 61)  # a hint is lost while nobody listens yet
            heard.update(news.take())
            return heard

        until(has_heard)
        until(lambda: has_heard() >= {3, 61})
    assert heard == {3, 61}
