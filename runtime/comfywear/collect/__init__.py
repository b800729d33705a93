"""The consumer that keeps everything: subscribes, stores, asks for what is missing, confirms what is stored.

store = partial(open_store, "postgresql:///comfort")
Collector(BrokerSettings("broker.example"), store, Options(name="archive")).run(stop)
"""

from comfywear.collect.collector import Collector, Options
from comfywear.collect.ledger import AckPace
from comfywear.collect.opening import open_store
from comfywear.collect.rollout_watch import RolloutPlace
from comfywear.collect.store import Store, StoreAwayError

__all__ = ["AckPace", "Collector", "Options", "RolloutPlace", "Store", "StoreAwayError", "open_store"]
