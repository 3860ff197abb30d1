"""Live connections of a running helpdesk, with the client `websockets` of PyPI.

    BASE_URL=http://127.0.0.1:8000 python live.py

Exits with 1 and says which step failed.
"""

import json
import os
import sys
import traceback
import urllib.request

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

BASE = os.environ.get("BASE_URL", "http://127.0.0.1:8000").rstrip("/")
SOCKET = BASE.replace("http", "ws", 1) + "/v1/socket"
TIMEOUT = 30


def call(method, path, token=None, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(BASE + path, data, method=method)
    request.add_header("Content-Type", "application/json")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
        return json.loads(response.read() or "null")


def log_in(name):
    body = {"email": f"{name}@example.com", "password": "correct horse battery staple"}
    return call("POST", "/v1/auth/login", body=body)["access_token"]


CUSTOMER, AGENT = log_in("customer"), log_in("agent")
TICKET = call("POST", "/v1/tickets", CUSTOMER, {"subject": "peers", "body": "peers"})["id"]
TOPIC = f"ticket:{TICKET}"


def comment(body):
    return call("POST", f"/v1/tickets/{TICKET}/comments", AGENT, {"body": body})


def open_socket(token=CUSTOMER, **options):
    headers = {"Authorization": f"Bearer {token}"}
    return connect(SOCKET, subprotocols=["helpdesk.v1"], additional_headers=headers, **options)


def until(socket, fits):
    while True:
        message = json.loads(socket.recv(timeout=TIMEOUT))
        if fits(message):
            return message


def subscribe(socket, **more):
    socket.send(json.dumps({"type": "subscribe", "topic": TOPIC, **more}))
    until(socket, lambda one: one["type"] == "subscribed")


def events_and_pings():
    with open_socket() as socket:
        assert socket.subprotocol == "helpdesk.v1"
        assert not socket.protocol.extensions, "no compression is agreed on"
        assert socket.ping(b"payload").wait(TIMEOUT), "no pong"
        # In fragments.
        socket.send(iter(['{"type":', ' "pi', 'ng"}']))
        until(socket, lambda one: one["type"] == "pong")
        subscribe(socket)
        comment("for websockets: grüß")
        until(socket, lambda one: one["type"] == "event" and one["data"].get("body") == "for websockets: grüß")
        socket.close(1000, "done")
        assert socket.close_code == 1000, socket.close_code


def resume():
    with open_socket() as socket:
        subscribe(socket)
        comment("seen")
        seen = until(socket, lambda one: one["type"] == "event" and one["data"].get("body") == "seen")
    for n in range(3):
        comment(f"missed {n}")
    bodies = []
    with open_socket() as socket:
        subscribe(socket, after=seen["id"])
        while len(bodies) < 3:
            event = until(socket, lambda one: one["type"] == "event")
            assert int(event["id"]) > int(seen["id"])
            if event["event"] == "ticket.commented":
                bodies.append(event["data"]["body"])
    assert bodies == [f"missed {n}" for n in range(3)], bodies


def a_message_that_is_too_large_closes():
    with open_socket() as socket:
        try:
            socket.send("x" * 70_000)
            while True:
                socket.recv(timeout=TIMEOUT)
        except ConnectionClosed as closed:
            assert closed.rcvd and closed.rcvd.code == 1009, closed


def refusals():
    for status, options in ((403, {"origin": "https://elsewhere.example"}), (401, {"token": "invalid"})):
        try:
            open_socket(**options)
            raise AssertionError(f"no {status}")
        except InvalidStatus as refused:
            assert refused.response.status_code == status, refused


failed = False
for step in (events_and_pings, resume, a_message_that_is_too_large_closes, refusals):
    try:
        step()
        print(f"ok      websockets: {step.__name__.replace('_', ' ')}")
    except Exception:
        traceback.print_exc()
        failed = True
        break
sys.exit(failed)
