"""MQTT 5's properties, whose tables all share: they hold and refuse what paho's own do."""

from typing import Any

import pytest
from paho.mqtt import MQTTException, properties
from paho.mqtt.packettypes import PacketTypes

from host_bridge.mqtt_properties import share_tables

Properties: Any = properties.Properties
_TWO = bytes.fromhex("0b 01 01 26 0003 646179 0001 31")  # payload format 1, user property day=1


@pytest.fixture(autouse=True)
def shared() -> None:  # pyright: ignore[reportUnusedFunction]
    share_tables()
    share_tables()  # a bridge may make more than one client


def test_properties_of_a_message_are_read_and_written_as_they_came() -> None:
    read, size = Properties(PacketTypes.PUBLISH).unpack(_TWO)
    assert (read.PayloadFormatIndicator, read.UserProperty, size) == (1, [("day", "1")], len(_TWO))
    assert read.pack() == _TWO


def test_what_one_message_says_is_not_said_by_the_next() -> None:
    before = Properties(PacketTypes.PUBLISH)
    before.unpack(_TWO)
    after = Properties(PacketTypes.PUBLISH)
    assert after.isEmpty()
    before.unpack(b"\0")
    assert before.isEmpty()


def test_a_property_that_its_packet_may_not_have_is_refused() -> None:
    with pytest.raises(MQTTException):
        Properties(PacketTypes.PUBACK).unpack(_TWO)


def test_no_properties_make_tables_of_their_own() -> None:
    made: object = Properties(PacketTypes.PUBLISH)
    assert set(vars(made)) == {"packetType"}
