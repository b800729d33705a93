"""From the settings file to the broker that programs talk to."""

from __future__ import annotations

from comfywear.publishing import BrokerSettings
from comfywear.settings import MqttSettings


def broker_settings(mqtt: MqttSettings) -> BrokerSettings:
    """The broker that the settings name."""
    return BrokerSettings(
        host=mqtt.host,
        port=mqtt.port,
        username=mqtt.username,
        password_file=mqtt.password_file,
        tls=mqtt.tls,
        ca_file=mqtt.ca_file,
        client_cert=mqtt.client_cert,
        client_key=mqtt.client_key,
    )
