#!/usr/bin/python3
"""Compare the fake's REST answers with the answers' schemas in Discord's OpenAPI document.

    check_answers.py PROGRAM

Starts PROGRAM (walle-fake-discord), makes a call of nearly every endpoint and prints each difference. Needs the tools that lie beside the
project (../shared/tools) and Debian's python3-jsonschema; leaves with status 77 (skipped) without them.
"""
import json
import os
import re
import socket
import struct
import subprocess
import sys
import time
import urllib.error
import urllib.request

SHARED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../../shared")
TOKEN = "MTAwMDAwMDAwMDAwMDAwMDAwMQ.fake.not-a-secret-token-of-the-fake"
# What differs on purpose: ws:// is no address of the web; the document knows one kind of callback only, and takes the codes inside "errors",
# which are words, for numbers.
EXPECTED = [r"GET /gateway(/bot)? 200 url: BASE_TYPE_BAD_FORMAT", r"callback 200 resource\.type:", r"_errors\.0\.code: BASE_TYPE_INVALID"]

try:
    sys.path.insert(0, os.path.join(SHARED, "tools"))
    from discord_openapi import Spec, load_document
    SPEC = Spec(load_document(os.path.join(SHARED, "data/discord-openapi.json")))
except (ImportError, OSError) as error:
    print(f"skipped: {error}")
    sys.exit(77)


class Checker:
    def __init__(self, addresses):
        self.api, self.page = addresses["api"], addresses["page"]
        self.calls = self.differences = 0

    @staticmethod
    def http(method, url, body, headers):
        data = json.dumps(body).encode() if body is not None else None
        if data is not None:
            headers["Content-Type"] = "application/json"
        try:
            with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method), timeout=10) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def control(self, path, body=None):
        status, text = self.http("POST" if body is not None else "GET", f"{self.page}_control/{path}", body, {})
        if status != 200:
            sys.exit(f"control {path}: {status} {text}")
        return json.loads(text)

    def call(self, method, path, body=None, status=None):
        self.calls += 1
        got, text = self.http(method, self.api + path, body, {
            "User-Agent": "DiscordBot (https://example.org, 1)", "Authorization": f"Bot {TOKEN}"})
        answer = json.loads(text) if text else None
        template, _, operation, _ = SPEC.find(method, path.split("?")[0])
        if status is None and not 200 <= got < 300 or status is not None and got != status:
            self.report(f"{method} {template} {got} answer: {text[:200]}")
            return answer
        found = operation["responses"].get(str(got)) or operation["responses"].get(f"{got // 100}XX") or {}
        if "$ref" in found:
            found = SPEC.document["components"]["responses"][found["$ref"].rsplit("/", 1)[1]]
        content = found.get("content", {}).get("application/json")
        if content and answer is not None:
            for where, code, message in SPEC.errors(content["schema"], answer)[0]:
                self.report(f"{method} {template} {got} {'.'.join(where)}: {code}: {message}")
        elif answer is not None and got < 300:
            self.report(f"{method} {template} {got}: this status is not in the document")
        return answer

    def report(self, text):
        if not any(re.search(pattern, text) for pattern in EXPECTED):
            self.differences += 1
            print(text)


def gateway(address):
    """A session that takes everything; returns its socket."""
    host, port = re.match(r"ws://([^:]+):(\d+)", address).groups()
    peer = socket.create_connection((host, int(port)), timeout=5)
    peer.sendall(b"GET /?v=10&encoding=json HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n")
    payload = json.dumps({"op": 2, "d": {"token": TOKEN, "intents": 33283, "properties": {}}}).encode()
    peer.sendall(b"\x81" + bytes([0x80 | 126]) + struct.pack(">H", len(payload)) + b"\0\0\0\0" + payload)
    return peer


def interaction_token(peer):
    received = b""
    until = time.monotonic() + 5
    while time.monotonic() < until:
        received += peer.recv(1 << 20)
        found = re.search(rb'"token":"(aW50[^"]+)"', received)
        if found:
            return found.group(1).decode()
    sys.exit("no interaction came")


EMBED = {"title": "t", "description": "d", "color": 5, "fields": [{"name": "n", "value": "v", "inline": True}],
         "footer": {"text": "f", "icon_url": "https://example.org/y.png"}, "author": {"name": "a"},
         "image": {"url": "https://example.org/y.png"}, "timestamp": "2026-01-01T00:00:00Z"}
ROWS = [{"type": 1, "components": [{"type": 2, "style": 1, "label": "l", "custom_id": "c"}]},
        {"type": 1, "components": [{"type": 3, "custom_id": "m", "options": [{"label": "a", "value": "b"}]}]}]


def check(checker, addresses):
    state = checker.control("state")
    guild, app = f"/guilds/{state['guild']['id']}", state["application_id"]
    channels = {channel["name"]: channel["id"] for channel in state["channels"]}
    users = {user["username"]: user["id"] for user in state["users"]}
    roles = {role["name"]: role["id"] for role in state["roles"]}
    general = f"/channels/{channels['general']}"
    call = checker.call

    for path in ("/gateway", "/gateway/bot", "/users/@me", f"/users/{users['alice']}", "/users/@me/guilds", "/applications/@me",
                 "/oauth2/applications/@me", guild, f"{guild}?with_counts=true", f"{guild}/channels", f"{guild}/roles", f"{guild}/emojis",
                 f"{guild}/members?limit=5", f"{guild}/members/search?query=a&limit=5", f"{guild}/members/{users['bob']}",
                 f"{guild}/threads/active", f"{guild}/roles/member-counts", f"{guild}/roles/{roles['Minions']}", general):
        call("GET", path)

    message = call("POST", f"{general}/messages", {"content": f"x <@{users['bob']}>", "embeds": [EMBED], "components": ROWS})["id"]
    call("PUT", f"{general}/messages/{message}/reactions/%E2%9C%85/@me")
    call("GET", f"{general}/messages/{message}")
    call("GET", f"{general}/messages/{message}/reactions/%E2%9C%85")
    call("POST", f"{general}/messages", {"content": "reply", "message_reference": {"message_id": message}})
    call("PATCH", f"{general}/messages/{message}", {"content": "e"})
    call("PUT", f"{general}/messages/pins/{message}")
    call("GET", f"{general}/messages/pins")
    checker.control("say", {"user": "alice", "channel": "general", "content": "f",
                            "file": {"name": "a.txt", "type": "text/plain", "base64": "aGk="}})
    checker.control("say", {"user": "alice", "channel": "general", "content": "hook", "webhook": True})
    call("GET", f"{general}/messages")
    call("POST", f"{general}/typing")
    call("POST", "/users/@me/channels", {"recipient_id": users["alice"]})

    call("POST", f"{guild}/roles", {"name": "r"})
    call("PATCH", f"{guild}/roles/{roles['Git Gud']}", {"color": 1})
    call("PATCH", f"{guild}/roles", [{"id": roles["Git Gud"], "position": 3}])
    channel = f"/channels/{call('POST', f'{guild}/channels', {'name': 'n', 'type': 0})['id']}"
    call("PATCH", channel, {"name": "z"})
    call("PUT", f"{channel}/permissions/{roles['gamers']}", {"type": 0, "allow": "1024"})
    call("DELETE", channel)
    call("PATCH", f"{guild}/channels", [{"id": channels["random"], "position": 3}])
    call("PATCH", f"{guild}/members/{users['alice']}", {"nick": "A"})
    call("PATCH", f"{guild}/members/@me", {"nick": "W"})
    call("PUT", f"{guild}/members/{users['alice']}/roles/{roles['Git Gud']}")
    call("PUT", f"{guild}/bans/{users['ivan']}", {})
    call("GET", f"{guild}/bans")
    call("GET", f"{guild}/bans/{users['ivan']}")
    call("GET", f"{guild}/audit-logs")
    call("DELETE", f"{guild}/bans/{users['ivan']}")

    commands = f"/applications/{app}{guild}/commands"
    command = call("PUT", commands, [{"name": "rank", "description": "d", "options": [{"type": 6, "name": "who", "description": "d"}]}])[0]
    call("GET", commands)
    call("GET", f"{commands}/{command['id']}")
    call("POST", commands, {"name": "new", "description": "d"})
    call("POST", f"/applications/{app}/commands", {"name": "global", "description": "d"})
    call("GET", f"/applications/{app}/commands")

    peer = gateway(addresses["gateway"])
    checker.control("wait?for=sessions&timeout=5")
    interaction = checker.control("slash", {"user": "bob", "channel": "general", "command": "rank", "options": {"who": "alice"}})["interaction"]
    token = interaction_token(peer)
    hook = f"/webhooks/{app}/{token}"
    call("POST", f"/interactions/{interaction}/{token}/callback?with_response=true", {"type": 5})
    call("PATCH", f"{hook}/messages/@original", {"content": "a"})
    call("GET", f"{hook}/messages/@original")
    call("POST", f"{hook}?wait=true", {"content": "b", "flags": 64})
    call("DELETE", f"{hook}/messages/@original")
    peer.close()

    call("POST", f"{general}/messages", {}, status=400)
    call("POST", f"{general}/messages", {"content": "x" * 2001}, status=400)
    call("GET", "/channels/1", status=404)
    call("DELETE", f"{general}/messages/{message}")


def main():
    program = subprocess.Popen([sys.argv[1], "--port", "0", "--gateway-port", "0", "--no-rate-limits", "--token", TOKEN],
                               stdout=subprocess.PIPE, text=True)
    try:
        addresses = dict(word.split("=", 1) for word in program.stdout.readline().split())
        checker = Checker(addresses)
        check(checker, addresses)
    finally:
        program.terminate()
        program.wait(10)
    print(f"{checker.calls} calls, {checker.differences} differences")
    return 1 if checker.differences or program.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
