"""How does a message get from the relay to the projectors?

One topic exchange; every message under the key ``<partition>.<type>``. The bus is a fast hint and
the log the truth: whatever is lost here is read there. This package is the only AMQP code.
"""

import logging

from events.bus.publisher import BusLost, Publisher
from events.bus.subscription import Delivery, Subscription

# It writes seven lines for a refused connection; those who connect say it in one.
logging.getLogger("pika").setLevel(logging.CRITICAL)

__all__ = ["BusLost", "Delivery", "Publisher", "Subscription"]
