"""MQTT: records become messages, messages wait in a spool, one thread carries them to the broker.

spool = Spool(state_dir / "spool.db", device="lab1")
publisher = Publisher(BrokerSettings("broker.example"), Topics("home", "lab1"), spool, on_vote=cast_vote)
publisher.post(publisher.topics.climate("desk"), partial(climate_message, climate), retain=True)
publisher.run(stop)  # in a thread of the supervisor
"""

from comfywear.publishing.broker.asides import Aside
from comfywear.publishing.broker.connection import BrokerSettings, Incoming
from comfywear.publishing.broker.pace import Pace, PublisherHealth
from comfywear.publishing.broker.publisher import OnVote, Publisher
from comfywear.publishing.messages.answer import gone_message, reply_message
from comfywear.publishing.messages.device import (
    ModelInfo,
    ReleaseInfo,
    SourceInfo,
    camera_message,
    health_message,
    meta_message,
    metrics_message,
    privacy_message,
    status_message,
)
from comfywear.publishing.messages.fields import Message, Stamp
from comfywear.publishing.messages.line import crossing_message, line_message
from comfywear.publishing.messages.people import PersonView, people_message
from comfywear.publishing.messages.setpoint import setpoint_message
from comfywear.publishing.messages.topics import Topics, check_name
from comfywear.publishing.messages.updates import ModelUpdate, ProgramUpdate, updates_message
from comfywear.publishing.messages.vote import ask_message, vote_message
from comfywear.publishing.messages.zone import climate_message, comfort_message, occupancy_message, presence_message
from comfywear.publishing.spool.commit import Build, SpoolLimits
from comfywear.publishing.spool.spool import Spool, SpoolHealth

__all__ = [
    "Aside",
    "BrokerSettings",
    "Build",
    "Incoming",
    "Message",
    "ModelInfo",
    "ModelUpdate",
    "OnVote",
    "Pace",
    "PersonView",
    "ProgramUpdate",
    "Publisher",
    "PublisherHealth",
    "ReleaseInfo",
    "SourceInfo",
    "Spool",
    "SpoolHealth",
    "SpoolLimits",
    "Stamp",
    "Topics",
    "ask_message",
    "camera_message",
    "check_name",
    "climate_message",
    "comfort_message",
    "crossing_message",
    "gone_message",
    "health_message",
    "line_message",
    "meta_message",
    "metrics_message",
    "occupancy_message",
    "people_message",
    "presence_message",
    "privacy_message",
    "reply_message",
    "setpoint_message",
    "status_message",
    "updates_message",
    "vote_message",
]
