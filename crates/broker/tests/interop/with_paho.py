"""Paho's Python client against a broker on 127.0.0.1: QoS 0 to 2, retained messages, Wills and properties, in both
versions. Needs the package paho-mqtt, 2.x. Arguments: the port, `tcp` or `websockets`, and for TLS the file of the
broker's certificate."""

import queue
import socket
import sys

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

PORT = int(sys.argv[1])
TRANSPORT = sys.argv[2]
CERTIFICATE = sys.argv[3] if len(sys.argv) > 3 else None
PATIENCE = 30


class Client:
    """A connected client whose messages and events can be waited for."""

    def __init__(self, client_id, version, will=None, clean=True):
        self.events = queue.Queue()
        self.messages = queue.Queue()
        self.version = version
        options = {} if version == mqtt.MQTTv5 else {"clean_session": clean}
        self.paho = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2,
            client_id,
            protocol=version,
            transport=TRANSPORT,
            **options,
        )
        if CERTIFICATE:
            self.paho.tls_set(ca_certs=CERTIFICATE)
        if will:
            self.paho.will_set(*will)
        self.paho.on_connect = lambda *event: self.events.put(("connected", event[3]))
        self.paho.on_subscribe = lambda *event: self.events.put(("subscribed", event[3]))
        self.paho.on_message = lambda _client, _data, message: self.messages.put(message)
        connecting = {"clean_start": clean} if version == mqtt.MQTTv5 else {}
        self.paho.connect("127.0.0.1", PORT, 60, **connecting)
        self.paho.loop_start()
        self.wait("connected")

    def wait(self, name):
        event, reason = self.events.get(timeout=PATIENCE)
        assert event == name, (event, reason)
        return reason

    def subscribe(self, *filters, **options):
        self.paho.subscribe(*filters, **options)
        return self.wait("subscribed")

    def publish(self, *arguments, **options):
        self.paho.publish(*arguments, **options).wait_for_publish(PATIENCE)

    def receive(self):
        return self.messages.get(timeout=PATIENCE)

    def leave(self):
        self.paho.disconnect()
        self.paho.loop_stop()

    def die(self):
        end = self.paho.socket()
        # Over WebSocket it is wrapped.
        getattr(end, "_socket", end).shutdown(socket.SHUT_RDWR)
        self.paho.loop_stop()


def each_qos(version):
    subscriber = Client("subscriber", version)
    publisher = Client("publisher", version)
    subscriber.subscribe("qos/#", qos=2)
    for qos in (0, 1, 2):
        for number in range(50):
            publisher.publish(f"qos/{qos}", f"{number}", qos=qos)
        for number in range(50):
            message = subscriber.receive()
            got = (message.topic, message.payload, message.qos, message.retain)
            assert got == (f"qos/{qos}", f"{number}".encode(), qos, False), got
    publisher.leave()
    subscriber.leave()


def retained(version):
    publisher = Client("publisher", version)
    publisher.publish("kept/a", "old", qos=1, retain=True)
    publisher.publish("kept/a", "new", qos=2, retain=True)
    subscriber = Client("subscriber", version)
    subscriber.subscribe("kept/+", qos=2)
    message = subscriber.receive()
    assert (message.payload, message.retain) == (b"new", True), message.payload
    publisher.publish("kept/a", None, qos=1, retain=True)
    message = subscriber.receive()
    assert (message.payload, message.retain) == (b"", False), message.payload
    publisher.leave()
    subscriber.leave()


def wills(version):
    witness = Client("witness", version)
    witness.subscribe("gone", qos=2)
    orderly = Client("orderly", version, will=("gone", "orderly", 2))
    orderly.leave()
    dying = Client("dying", version, will=("gone", "dying", 2))
    dying.die()
    message = witness.receive()
    assert message.payload == b"dying", message.payload
    witness.leave()


def properties(version):
    subscriber = Client("subscriber", version)
    subscriber.subscribe("p", options=SubscribeOptions(qos=1, retainAsPublished=True))
    publisher = Client("publisher", version)
    sent = Properties(PacketTypes.PUBLISH)
    sent.ContentType = "text/plain"
    sent.ResponseTopic = "answers"
    sent.CorrelationData = b"\x01\x02"
    sent.MessageExpiryInterval = 600
    sent.UserProperty = [("b", "1"), ("a", "2")]
    publisher.publish("p", "x", qos=1, properties=sent)
    got = subscriber.receive().properties
    assert got.ContentType == "text/plain"
    assert got.ResponseTopic == "answers"
    assert got.CorrelationData == b"\x01\x02"
    assert 590 <= got.MessageExpiryInterval <= 600
    assert got.UserProperty == [("b", "1"), ("a", "2")]
    publisher.leave()
    subscriber.leave()


for version in (mqtt.MQTTv31, mqtt.MQTTv311, mqtt.MQTTv5):
    each_qos(version)
    retained(version)
    wills(version)
properties(mqtt.MQTTv5)
