"""AMQP bus: publishes events to a topic exchange, and consumes them from quorum queues.

Every message has the routing key ``<partition>.<type>``. The log is the
source of truth: what the bus loses is read from there. This package is the only AMQP code.
"""

import logging

from events.bus.publisher import BusLost, Publisher
from events.bus.subscription import Delivery, Subscription

# pika logs seven lines for a refused connection; the callers log one.
logging.getLogger("pika").setLevel(logging.CRITICAL)

__all__ = ["BusLost", "Delivery", "Publisher", "Subscription"]
