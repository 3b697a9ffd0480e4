"""The device's MQTT client against a broker that does everything wrong."""

import json
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from scanlatch_tools import places
from scanlatch_tools.twin import interpreter

from tests.firmware.hostile_broker import (
    CONNACK,
    Behaviour,
    Broker,
    Seen,
    acknowledges_one,
    acknowledges_strangely,
    acknowledges_the_second,
    answers_subscribe,
    closes_after_sixteen,
    deaf,
    dies_once,
    publish,
    says,
)

SCRIPT = Path(__file__).parent / "device_scripts" / "mqtt_hostile.py"
REFUSING = {f"code_{code}": says(bytes([0x20, 2, 0, code])) for code in (1, 2, 3, 4, 5)}

NOT_MQTT: dict[str, Behaviour] = {
    "connack_code_6": says(b"\x20\x02\x00\x06"),
    "connack_flags": says(b"\x20\x02\x02\x00"),
    "connack_short": says(b"\x20\x01\x00"),
    "connack_long": says(b"\x20\x03\x00\x00\x00"),
    "connack_length_of_five_bytes": says(b"\x20\xff\xff\xff\xff\x01"),
    "connack_of_256_mb": says(b"\x20\xff\xff\xff\x7f"),
    "publish_before_connack": says(publish(b"a", b"x")),
    "http": says(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    "second_connack": says(CONNACK, CONNACK),
    "type_0": says(CONNACK, b"\x00\x00"),
    "type_15": says(CONNACK, b"\xf0\x00"),
    "connect": says(CONNACK, b"\x10\x00"),
    "subscribe": says(CONNACK, b"\x82\x00"),
    "pubrec": says(CONNACK, b"\x50\x02\x00\x01"),
    "unsuback": says(CONNACK, b"\xb0\x02\x00\x01"),
    "disconnect": says(CONNACK, b"\xe0\x00"),
    "pingresp_with_a_body": says(CONNACK, b"\xd0\x01\x00"),
    "pingresp_flags": says(CONNACK, b"\xd1\x00"),
    "puback_flags": says(CONNACK, b"\x42\x02\x00\x01"),
    "puback_short": says(CONNACK, b"\x40\x01\x00"),
    "puback_long": says(CONNACK, b"\x40\x03\x00\x01\x00"),
    "puback_empty": says(CONNACK, b"\x40\x00"),
    "puback_id_0": says(CONNACK, b"\x40\x02\x00\x00"),
    "suback_unasked": says(CONNACK, b"\x90\x03\x00\x01\x01"),
    "publish_qos_2": says(CONNACK, publish(b"a", b"x", 0x34)),
    "publish_qos_3": says(CONNACK, publish(b"a", b"x", 0x36)),
    "publish_dup_qos_0": says(CONNACK, publish(b"a", b"x", 0x38)),
    "publish_empty": says(CONNACK, b"\x30\x00"),
    "publish_one_byte": says(CONNACK, b"\x30\x01\x00"),
    "publish_topic_beyond": says(CONNACK, b"\x30\x04\x00\x09ab"),
    "publish_without_id": says(CONNACK, b"\x32\x03\x00\x01a"),
    "publish_half_an_id": says(CONNACK, b"\x32\x04\x00\x01a\x00"),
    "publish_id_0": says(CONNACK, publish(b"a", b"x", packet_id=b"\0\0")),
    "publish_topic_empty": says(CONNACK, publish(b"", b"x")),
    "publish_topic_wildcard": says(CONNACK, publish(b"a/#", b"x")),
    "publish_topic_plus": says(CONNACK, publish(b"a/+", b"x")),
    "publish_topic_nul": says(CONNACK, publish(b"a\0", b"x")),
    "publish_topic_not_utf8": says(CONNACK, publish(b"a\xff", b"x")),
    "publish_of_70_kb": says(CONNACK, publish(b"a", bytes(70_000))[:100]),
    "publish_of_256_mb": says(CONNACK, b"\x32\xff\xff\xff\x7f"),
    "publish_length_of_five_bytes": says(CONNACK, b"\x32\x80\x80\x80\x80\x01"),
    "publish_above_limit_topic_beyond": says(CONNACK, b"\x32\x88\x27\xff\xff", bytes(5000)),
    "puback_of_5_kb": says(CONNACK, b"\x40\x88\x27"),
}

LINK: dict[str, Behaviour] = {
    "silent_before_connack": says(),
    "closed_before_connack": says(close=True),
    "connack_half": says(b"\x20\x02", close=True),
    "closed": says(CONNACK, close=True),
    "closed_in_mid_packet": says(CONNACK, publish(b"topic", b"payload")[:9], close=True),
}

BYTES = CONNACK + publish(b"t/1", bytes(200)) + b"\xd0\x00" + publish(b"t/2", b"", 0x30)
LAST = publish(b"last", b"x", packet_id=b"\x00\x09")

# name of the case: (what the device does, what the broker does)
CASES: dict[str, tuple[str, Behaviour]] = {
    **{name: ("ordinary", behave) for name, behave in (REFUSING | NOT_MQTT | LINK).items()},
    "session_kept": ("ordinary", says(b"\x20\x02\x01\x00", close=True, apart_ms=20)),
    "byte_at_a_time": ("ordinary", says(*(bytes([byte]) for byte in BYTES), close=True, apart_ms=1)),
    "all_at_once": ("ordinary", says(BYTES + LAST, close=True, apart_ms=50)),
    "above_limit": ("ordinary", says(CONNACK, publish(b"big", bytes(5000)), LAST, close=True, apart_ms=50)),
    "silent": ("silent", says(CONNACK)),
    "blocked": ("blocked", deaf),
    "blocked_cancelled": ("blocked_cancelled", deaf),
    "sixteen": ("sixteen", closes_after_sixteen),
    "second": ("sixteen", acknowledges_the_second),
    "acked": ("acked", acknowledges_strangely),
    "handler_fails": ("handler_fails", says(CONNACK, publish(b"a", b"x"))),
    "ack_handler_fails": ("ack_handler_fails", acknowledges_one),
    "slow_handler": ("slow_handler", says(CONNACK, publish(b"a", b"x"), close=True, apart_ms=200)),
    "handler_closes": ("handler_closes", says(CONNACK, publish(b"a", b"x"), apart_ms=50)),
    "connect_cancelled": ("connect_cancelled", says()),
    "again": ("again", dies_once),
    "closed": ("closed", says(CONNACK)),
    "nobody_there": ("nobody_there", says()),
    "no_such_name": ("no_such_name", says()),
    "too_big": ("too_big", says(CONNACK)),
    "granted": ("subscribes", answers_subscribe(lambda asked: b"\x90\x04" + asked + b"\x01\x00")),
    "one_refused": ("subscribes", answers_subscribe(lambda asked: b"\x90\x04" + asked + b"\x01\x80")),
    "suback_short": ("subscribes", answers_subscribe(lambda asked: b"\x90\x03" + asked + b"\x01")),
    "suback_other_id": ("subscribes", answers_subscribe(lambda asked: b"\x90\x04\x77\x77\x01\x01")),
    "suback_code_3": ("subscribes", answers_subscribe(lambda asked: b"\x90\x04" + asked + b"\x01\x03")),
    "suback_never": ("subscribes", answers_subscribe(lambda asked: b"")),
}


@dataclass
class Outcome:
    told: dict[str, Any]
    seen: Seen


@pytest.fixture(scope="module")
def outcomes() -> Iterator[dict[str, Outcome]]:
    broker = Broker({name: behave for name, (_, behave) in CASES.items()})
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound and not listening: nobody is there
        done = subprocess.run(
            interpreter.command([str(SCRIPT), str(broker.port), str(unused.getsockname()[1])]),
            env={"MICROPYPATH": interpreter.search_path(places.firmware(), stand_ins=False)},
            input="".join(f"{name} {scenario}\n" for name, (scenario, _) in CASES.items()),
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
    broker.stop()
    assert done.returncode == 0, done.stderr + done.stdout
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert not done.stderr
    yield {one["name"]: Outcome(one, broker.seen.get(one["name"], Seen())) for one in told}


@pytest.mark.parametrize("name", NOT_MQTT)
def test_what_is_not_mqtt_ends_the_link_as_protocol(outcomes: dict[str, Outcome], name: str):
    assert outcomes[name].told["error"] == "MqttError", outcomes[name].told
    assert outcomes[name].told["cause"] == "protocol", outcomes[name].told
    assert outcomes[name].told["messages"] == []


@pytest.mark.parametrize("name", REFUSING)
def test_a_refusing_connack_is_told_as_refused(outcomes: dict[str, Outcome], name: str):
    assert outcomes[name].told["cause"] == "refused"
    assert outcomes[name].told["detail"]


@pytest.mark.parametrize("name", LINK)
def test_an_ended_stream_is_told_as_network(outcomes: dict[str, Outcome], name: str):
    assert outcomes[name].told["cause"] == "network", outcomes[name].told
    assert outcomes[name].told["ms"] < 5_000


def test_a_silent_broker_ends_at_the_deadline_of_connect(outcomes: dict[str, Outcome]):
    assert 400 <= outcomes["silent_before_connack"].told["ms"] < 5_000
    assert outcomes["silent_before_connack"].seen.gone


def test_bytes_that_come_one_by_one_or_all_at_once_are_the_same_messages(outcomes: dict[str, Outcome]):
    assert outcomes["byte_at_a_time"].told["messages"] == [["t/1", 200], ["t/2", 0]]
    assert outcomes["all_at_once"].told["messages"] == [["t/1", 200], ["t/2", 0], ["last", 1]]


def test_a_message_above_the_limit_is_passed_over_and_acknowledged(outcomes: dict[str, Outcome]):
    assert outcomes["above_limit"].told["messages"] == [["last", 1]]
    assert [one[2:] for one in outcomes["above_limit"].seen.packets[1:]] == [b"\x00\x07", b"\x00\x09"]


def test_a_kept_session_is_accepted(outcomes: dict[str, Outcome]):
    assert outcomes["session_kept"].told["kept"] is True


def test_a_broker_that_falls_silent_is_asked_after_half_the_keepalive_and_left_after_all_of_it(
    outcomes: dict[str, Outcome],
):
    told, seen = outcomes["silent"].told, outcomes["silent"].seen
    assert (told["cause"], told["detail"]) == ("network", "nothing heard")
    assert seen.types() == [1, 12]
    assert 0.4 < seen.times[1] - seen.times[0] < 0.95
    assert 1000 <= told["ms"] < 9_000
    assert seen.gone


def test_a_publish_on_a_dead_link_ends_and_does_not_hang(outcomes: dict[str, Outcome]):
    assert outcomes["blocked"].told["cause"] == "network"
    assert outcomes["blocked"].told["ms"] < 9_000


def test_a_publisher_cancelled_in_mid_packet_leaves_the_link_to_its_own_end(outcomes: dict[str, Outcome]):
    told = outcomes["blocked_cancelled"].told
    assert told["cancelled"] is True
    assert (told["cause"], told["detail"]) == ("network", "nothing heard")


def test_the_seventeenth_publish_waits_and_ends_with_the_link(outcomes: dict[str, Outcome]):
    told, seen = outcomes["sixteen"].told, outcomes["sixteen"].seen
    assert (told["published"], told["acks"], told["cause"]) == (16, 0, "network")
    ids = [one[-3:-1] for one in seen.packets[1:]]
    assert len(ids) == len(set(ids)) == 16


def test_a_packet_id_in_flight_is_given_to_nothing_else(outcomes: dict[str, Outcome]):
    ids = [one[-3:-1] for one in outcomes["second"].seen.packets[1:]]
    assert ids[16] == ids[1]


def test_only_a_real_puback_counts_and_counts_once(outcomes: dict[str, Outcome]):
    assert outcomes["acked"].told["acks"] == 2
    assert outcomes["acked"].told["cause"] == "network"


def test_what_a_handler_raises_ends_the_link_and_is_told_as_it_is(outcomes: dict[str, Outcome]):
    assert outcomes["handler_fails"].told["error"] == "KeyError"
    assert outcomes["handler_fails"].seen.types() == [1], "no PUBACK for a message that was not handled"
    assert outcomes["handler_fails"].seen.gone
    assert outcomes["ack_handler_fails"].told["error"] == "KeyError"


def test_puback_goes_out_after_the_handler_returned(outcomes: dict[str, Outcome]):
    told, seen = outcomes["slow_handler"].told, outcomes["slow_handler"].seen
    assert told["messages"] == [["a", 1]]
    assert seen.types() == [1, 4]
    assert seen.times[1] - seen.times[0] >= 0.1


def test_a_handler_may_close_the_link(outcomes: dict[str, Outcome]):
    assert outcomes["handler_closes"].told["cause"] == "network"
    assert outcomes["handler_closes"].seen.types() == [1]
    assert outcomes["handler_closes"].seen.gone


def test_cancelling_closes_the_socket(outcomes: dict[str, Outcome]):
    assert outcomes["connect_cancelled"].told["cancelled"] is True
    assert outcomes["connect_cancelled"].told["connected"] is False
    assert outcomes["connect_cancelled"].seen.gone


def test_a_client_connects_again_and_forgets_what_was_in_flight(outcomes: dict[str, Outcome]):
    told = outcomes["again"].told
    assert (told["acks"], told["error"]) == (1, "MqttError")
    assert told["feeds"] == 2, "one look-up, fed before and after; the address is kept"


def test_publish_without_a_link_is_refused(outcomes: dict[str, Outcome]):
    assert outcomes["closed"].told["cause"] == "network"


def test_nobody_at_the_port_is_network_and_no_such_name_is_name(outcomes: dict[str, Outcome]):
    assert outcomes["nobody_there"].told["cause"] == "network"
    assert outcomes["no_such_name"].told["cause"] == "name"


def test_a_payload_above_the_limit_is_never_sent(outcomes: dict[str, Outcome]):
    assert outcomes["too_big"].told["error"] == "ValueError"
    assert outcomes["too_big"].seen.types() == [1]


def test_a_subscription_is_granted_or_the_refused_topic_named(outcomes: dict[str, Outcome]):
    assert outcomes["granted"].told["subscribed"] is True
    assert outcomes["one_refused"].told["cause"] == "refused"
    assert outcomes["one_refused"].told["detail"].endswith(" b")


@pytest.mark.parametrize("name", ["suback_short", "suback_other_id", "suback_code_3", "suback_never"])
def test_a_wrong_or_missing_suback_is_protocol(outcomes: dict[str, Outcome], name: str):
    assert outcomes[name].told["cause"] == "protocol", outcomes[name].told
