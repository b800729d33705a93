"""bacpypes3 put together as a device that can only be read. Whoever imports this needs the extra `bacnet`."""

from __future__ import annotations

import asyncio
import logging
import socket
from functools import partial
from typing import Any

from bacpypes3.apdu import SimpleAckPDU, WritePropertyMultipleError
from bacpypes3.app import Application
from bacpypes3.appservice import ApplicationServiceAccessPoint
from bacpypes3.basetypes import ErrorType, ObjectPropertyReference, ObjectTypesSupported, ServicesSupported
from bacpypes3.comm import bind
from bacpypes3.errors import ExecutionError
from bacpypes3.ipv4 import IPv4DatagramServer
from bacpypes3.ipv4.bvll import BVLLCodec
from bacpypes3.ipv4.service import BIPNormal, UDPMultiplexer
from bacpypes3.local.analog import AnalogInputObject
from bacpypes3.local.binary import BinaryInputObject
from bacpypes3.local.cov import GenericCriteria
from bacpypes3.local.device import DeviceObject
from bacpypes3.local.multistate import MultiStateInputObject
from bacpypes3.local.networkport import NetworkPortObject
from bacpypes3.netservice import NetworkServiceAccessPoint, NetworkServiceElement
from bacpypes3.pdu import IPv4Address, LocalBroadcast

from comfywear.buildings.bacnet_objects import ObjectPlan, Shown, state_words
from comfywear.system.rate_limit import Bucket

__all__ = ["MOST_PER_S", "MOST_SUBSCRIPTIONS", "BuildingApplication", "make_device", "make_object"]

# It logs every packet that it cannot read with a traceback: a stranger could fill the disk.
logging.getLogger("bacpypes3").setLevel(logging.CRITICAL + 1)

MOST_SUBSCRIPTIONS = 2000
MOST_PER_S = 500
"""Datagrams that are looked at in a second, of all clients; more are dropped, as UDP may."""
# "Reserved for ASHRAE's examples and tests": comfywear has no number of its own.
VENDOR = 999
_SERVICES = ("read-property", "read-property-multiple", "subscribe-cov", "who-is", "who-has")


class _Device(DeviceObject):
    """Says which objects it has; bacpypes3's own says none."""

    @property
    def protocolObjectTypesSupported(self) -> ObjectTypesSupported:  # noqa: N802 - as bacpypes3 names it
        """Protocol_Object_Types_Supported."""
        return ObjectTypesSupported(["device", "network-port", *_CLASSES])

    @protocolObjectTypesSupported.setter
    def protocolObjectTypesSupported(self, _: object) -> None:  # noqa: N802
        """As bacpypes3 has it: ignored."""


class _MultiStateInput(MultiStateInputObject):
    """bacpypes3's own cannot be subscribed to: it looks for an increment, which states have none of."""

    _cov_criteria = GenericCriteria


_CLASSES = {
    "analog-input": AnalogInputObject,
    "binary-input": BinaryInputObject,
    "multi-state-input": _MultiStateInput,
}


class _Datagrams(IPv4DatagramServer):
    """The datagrams of one address: not more than so many a second, and those sent to all of its network."""

    def __init__(self, address: IPv4Address, own: socket.socket) -> None:
        super().__init__(address, no_broadcast=True, bind_socket=own)
        self._bucket = Bucket(MOST_PER_S, MOST_PER_S)
        if address.addrBroadcastTuple != address.addrTuple:
            own.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            self.broadcast_address = address.addrBroadcastTuple
            loop = asyncio.get_running_loop()
            opening = loop.create_task(self.retrying_create_datagram_endpoint(loop, address.addrBroadcastTuple))
            opening.add_done_callback(partial(self._heard_by_all, address))

    def _heard_by_all(self, address: IPv4Address, opened: asyncio.Task[Any]) -> None:
        if not opened.cancelled():
            self.set_broadcast_transport_protocol(address, opened)

    async def confirmation(self, pdu: Any) -> None:
        """A datagram that came."""
        if self._bucket.take():
            await super().confirmation(pdu)


class _Link(BIPNormal):
    """BACnet/IP on a socket that is bound already."""

    def __init__(self, address: IPv4Address, own: socket.socket) -> None:
        super().__init__()
        self._codec = BVLLCodec()
        self._multiplexer = UDPMultiplexer()
        self.server = _Datagrams(address, own)
        bind(self, self._codec, self._multiplexer.annexJ)
        bind(self._multiplexer, self.server)


class BuildingApplication(Application):
    """A device with its objects: answers who it is and what it reads, tells subscribers, and refuses every write.

    Args:
        device: Its device object.
        address: Its address and port, with the prefix of the network that it can be found on.
        own: Bound to it.
    """

    def __init__(self, device: DeviceObject, address: IPv4Address, own: socket.socket) -> None:
        super().__init__()
        self.asap = ApplicationServiceAccessPoint(device, self.device_info_cache)
        self.nsap = NetworkServiceAccessPoint()
        self.nse = NetworkServiceElement()
        bind(self.nse, self.nsap)
        bind(self, self.asap, self.nsap)
        self._link = _Link(address, own)
        self.nsap.bind(self._link, address=address)
        self.add_object(device)
        # Not by add_object, which would open a link of its own for it.
        port = NetworkPortObject(address, objectIdentifier=("network-port", 1), objectName="network port")
        self.objectName[port.objectName], self.objectIdentifier[port.objectIdentifier] = port, port
        port._app = self

    def get_services_supported(self) -> ServicesSupported:
        """Protocol_Services_Supported; bacpypes3's own takes unconfirmed services for confirmed ones."""
        return ServicesSupported(list(_SERVICES))

    def say_hello(self) -> None:
        """Tell the network that this device is there, where there is one."""
        if self._link.server.broadcast_address:
            self.i_am(address=LocalBroadcast())

    def close(self) -> None:
        """Close the sockets."""
        self._link.server.close()

    async def do_WritePropertyRequest(self, apdu: Any) -> None:  # noqa: N802 - as bacpypes3 names it
        """Refused."""
        raise ExecutionError(**self._refusal(apdu.objectIdentifier, apdu.propertyIdentifier))

    async def do_WritePropertyMultipleRequest(self, apdu: Any) -> None:  # noqa: N802
        """Refused at its first property."""
        for each in apdu.listOfWriteAccessSpecs:
            for wanted in each.listOfProperties:
                first = ObjectPropertyReference(
                    objectIdentifier=each.objectIdentifier, propertyIdentifier=wanted.propertyIdentifier
                )
                why = ErrorType(**self._refusal(each.objectIdentifier, wanted.propertyIdentifier))
                refused = WritePropertyMultipleError(errorType=why, firstFailedWriteAttempt=first, context=apdu)
                await self.response(refused)
                return
        await self.response(SimpleAckPDU(context=apdu))  # nothing was to be written

    def _refusal(self, identifier: Any, prop: Any) -> dict[str, str]:
        """Why a property cannot be written."""
        found = self.get_object_id(identifier)
        if not found:
            return {"errorClass": "object", "errorCode": "unknownObject"}
        known = found.get_property_type(prop)
        return {"errorClass": "property", "errorCode": "writeAccessDenied" if known else "unknownProperty"}

    async def do_SubscribeCOVRequest(self, apdu: Any) -> None:  # noqa: N802
        """Taken while there is room; without a lifetime it is for good, as the standard has it (13.14.1)."""
        if apdu.issueConfirmedNotifications is not None:
            if apdu.lifetime is None:
                apdu.lifetime = 0
            if not self._subscribed(apdu) and self.subscriptions() >= MOST_SUBSCRIPTIONS:
                raise ExecutionError(errorClass="resources", errorCode="noSpaceToAddListElement")
        await super().do_SubscribeCOVRequest(apdu)

    def subscriptions(self) -> int:
        """How many there are."""
        return sum(len(each.cov_subscriptions) for each in self._cov_detections.values())

    def _subscribed(self, apdu: Any) -> bool:
        found = self._cov_detections.get(apdu.monitoredObjectIdentifier)
        wanted = (apdu.pduSource, apdu.subscriberProcessIdentifier)
        return found is not None and any((each.client_addr, each.proc_id) == wanted for each in found.cov_subscriptions)

    def show(self, made: Any, now: Shown) -> None:
        """An object shows something else; its subscribers are told when the value moved enough, or the flags changed.

        bacpypes3 makes the flags from reliability and out of service, and tells nobody of it.
        """
        before = made.statusFlags
        made.reliability, made.outOfService = now.reliability, now.out_of_service
        made.presentValue = now.value
        detection = self._cov_detections.get(made.objectIdentifier)
        if detection is not None and made.statusFlags != before:
            detection.statusFlags = made.statusFlags
            if detection._execute_handle is None:
                detection._execute_handle = asyncio.get_running_loop().call_soon(detection._execute)

    def cov_confirmation(self, _: Any, future: Any) -> None:
        """A subscriber took a notification, or is away: it hears the next one all the same until its time is over."""
        if not future.cancelled():
            future.exception()


def make_device(instance: int, name: str, *, location: str, version: str) -> DeviceObject:
    """The device object."""
    return _Device(
        objectIdentifier=("device", instance),
        objectName=name,
        description="comfort sensor",
        location=location,
        vendorName="comfywear",
        vendorIdentifier=VENDOR,
        modelName="comfywear",
        firmwareRevision=version,
        applicationSoftwareVersion=version,
    )


def make_object(planned: ObjectPlan, first: Shown) -> Any:
    """An object as it is planned, that shows `first`."""
    point = planned.point
    more: dict[str, object]
    if point.kind == "analog":
        more = {"units": point.bacnet_unit, "covIncrement": point.increment}
    elif point.kind == "binary":
        more = {"polarity": "normal", "inactiveText": point.states[0], "activeText": point.states[1]}
    else:
        more = {"numberOfStates": len(state_words(point)), "stateText": state_words(point)}
    return _CLASSES[planned.type](
        objectIdentifier=(planned.type, planned.instance),
        objectName=planned.name,
        description=f"{planned.zone}: {point.meaning}",
        presentValue=first.value,
        eventState="normal",
        reliability=first.reliability,
        outOfService=first.out_of_service,
        **more,
    )
