"""The consumer that keeps everything: subscribes, stores, asks for what is missing, confirms what is stored.

store = partial(open_store, "postgresql:///comfort")
Collector(BrokerSettings("broker.example"), store, Options(name="archive")).run(stop)
"""

from comfywear.collect.collector import Collector, Options
from comfywear.collect.ledger import Pace
from comfywear.collect.store import Store, StoreAwayError, open_store

__all__ = ["Collector", "Options", "Pace", "Store", "StoreAwayError", "open_store"]
