"""MQTT: records become messages, messages wait in a spool, one thread carries them to the broker.

spool = Spool(state_dir / "spool.db", device="lab1")
publisher = Publisher(BrokerSettings("broker.example"), Topics("home", "lab1"), spool, on_vote=cast_vote)
publisher.post(publisher.topics.climate("desk"), partial(climate_message, climate), retain=True)
publisher.run(stop)  # in a thread of the supervisor
"""

from comfywear.publishing.asides import Aside
from comfywear.publishing.compose import (
    PersonView,
    ask_message,
    climate_message,
    comfort_message,
    gone_message,
    health_message,
    meta_message,
    metrics_message,
    people_message,
    presence_message,
    reply_message,
    status_message,
    vote_message,
)
from comfywear.publishing.connection import BrokerSettings
from comfywear.publishing.messages import Message, ModelInfo, ReleaseInfo, SourceInfo, Stamp
from comfywear.publishing.mqtt import Publisher
from comfywear.publishing.pace import Pace, PublisherHealth
from comfywear.publishing.spool import Spool, SpoolHealth
from comfywear.publishing.spool_commit import Build, Limits
from comfywear.publishing.topics import Topics, check_name

__all__ = [
    "Aside",
    "BrokerSettings",
    "Build",
    "Limits",
    "Message",
    "ModelInfo",
    "Pace",
    "PersonView",
    "Publisher",
    "PublisherHealth",
    "ReleaseInfo",
    "SourceInfo",
    "Spool",
    "SpoolHealth",
    "Stamp",
    "Topics",
    "ask_message",
    "check_name",
    "climate_message",
    "comfort_message",
    "gone_message",
    "health_message",
    "meta_message",
    "metrics_message",
    "people_message",
    "presence_message",
    "reply_message",
    "status_message",
    "vote_message",
]
