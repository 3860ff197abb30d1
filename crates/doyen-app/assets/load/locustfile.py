"""Load of an application, for locust. `plan.json` says what it has; both files are written by the
command `load` of the application.

    LOAD_USERS=ada@example.com LOAD_PASSWORD=.. \
        locust --headless --users 1 --host http://127.0.0.1:8000

The arrival of journeys is an open model: they begin at the rate of the plan, at random intervals,
and do not wait for each other. A slow server therefore gets more concurrent requests, as from real
users. One user of locust starts all journeys.

LOAD_USERS      addresses of users, separated by commas
LOAD_PASSWORD   the password of all of them
LOAD_TOKEN      an access token to use instead
LOAD_REPORT     the file to write the result to, as JSON
"""

import collections
import json
import logging
import os
import pathlib
import random
import sys
import time
import uuid

import gevent
import gevent.pool
import requests
from locust import FastHttpUser, events, task

PLAN = json.loads((pathlib.Path(__file__).parent / "plan.json").read_text())
# Journeys at once. At the limit, further ones wait: the model is no longer open.
MAX_JOURNEYS = 2000
# An access token is replaced before it ends.
TOKEN_SECONDS = 300
STATUSES = collections.Counter()


class Account:
    """A user of the application."""

    def __init__(self, host, email):
        self.host, self.email, self.token, self.since = host, email, os.environ.get("LOAD_TOKEN"), 0.0

    def headers(self):
        if self.email and time.monotonic() - self.since > TOKEN_SECONDS:
            self.login()
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def login(self):
        # Not with the client of locust: a login is slow on purpose, and not part of the load.
        body = {"email": self.email, "password": os.environ.get("LOAD_PASSWORD", "")}
        answer = requests.post(self.host + PLAN["login"], json=body, timeout=30)
        if answer.status_code != 200:
            raise SystemExit(f"{self.email} cannot log in: {answer.status_code} {answer.text}")
        self.token, self.since = answer.json()["access_token"], time.monotonic()


class Application(FastHttpUser):
    """Starts the journeys."""

    fixed_count = 1
    concurrency = MAX_JOURNEYS
    connection_timeout = 10.0
    network_timeout = 30.0

    def on_start(self):
        self.journeys = gevent.pool.Pool(MAX_JOURNEYS)
        users = [user for user in os.environ.get("LOAD_USERS", "").split(",") if user]
        host = self.host.rstrip("/")
        self.accounts = [Account(host, user) for user in users] or [Account(host, None)]
        self.allowed(self.accounts[0])
        # Not `--run-time`, which counts the logins too.
        self.end = time.monotonic() + PLAN["seconds"]

    def allowed(self, account):
        """Leaves out what the users may not read."""

        def may(path):
            answer = requests.get(account.host + path, headers=account.headers(), timeout=30)
            if answer.status_code in (401, 403):
                print(f"left out, {answer.status_code}: GET {path}", file=sys.stderr)
            return answer.status_code not in (401, 403)

        self.reads = [path for path in PLAN["reads"] if may(path)]
        self.resources = [one for one in PLAN["resources"] if may(one["list"])]
        if not (self.reads or self.resources):
            raise SystemExit("the users may read nothing: set LOAD_USERS and LOAD_PASSWORD")

    @task
    def arrive(self):
        if time.monotonic() > self.end:
            self.journeys.join(timeout=30)
            gevent.spawn(self.environment.runner.quit)
            gevent.sleep(30)
        self.journeys.spawn(self.journey)
        gevent.sleep(random.expovariate(PLAN["rate"]))

    def journey(self):
        headers = random.choice(self.accounts).headers()
        creatable = [one for one in self.resources if one["create"]]
        if creatable and random.random() * 100 < PLAN["writes_percent"]:
            self.write(random.choice(creatable), headers)
        elif self.resources and (not self.reads or random.random() < 0.7):
            self.browse(random.choice(self.resources), headers)
        else:
            self.send("GET", random.choice(self.reads), headers)

    def browse(self, resource, headers):
        page = self.send("GET", resource["list"], headers)
        items = page.get("items", []) if isinstance(page, dict) else page or []
        if not items:
            return
        item = random.choice(items)["id"]
        if resource["item"]:
            self.think()
            self.send("GET", resource["item"], headers, item)
        if resource["parts"]:
            self.think()
            self.send("GET", random.choice(resource["parts"]), headers, item)

    def write(self, resource, headers):
        create = resource["create"]
        created = self.send("POST", create["path"], headers, body=create["body"])
        if not created:
            return
        item = created["id"]
        for add in resource["adds"]:
            self.think()
            self.send("POST", add["path"], headers, item, add["body"])
        # Only actions that the item offers now: they follow the order of its states.
        for _ in range(2):
            self.think()
            view = self.send("GET", resource["item"], headers, item) or {}
            links = {link.get("href") for link in view.get("_links", {}).values()}
            offered = [path for path in resource["actions"] if filled(path, item) in links]
            if not offered:
                return
            self.think()
            self.send("POST", random.choice(offered), headers, item)

    def send(self, method, path, headers, item=None, body=None):
        """Sends a request. Returns the body of a success."""
        if method == "POST":
            headers = {**headers, "Idempotency-Key": str(uuid.uuid4())}
        with self.client.request(
            method,
            filled(path, item),
            name=path,
            headers=headers,
            json=body,
            catch_response=True,
        ) as response:
            STATUSES[response.status_code] += 1
            if not 200 <= response.status_code < 400:
                response.failure(f"status {response.status_code}")
                return None
            response.success()
            try:
                return response.json() if response.content else None
            except ValueError:
                return None

    def think(self):
        if PLAN["think_seconds"] > 0:
            gevent.sleep(random.expovariate(1 / PLAN["think_seconds"]))


def filled(path, item):
    if item is None:
        return path
    before, after = path.split("{", 1)
    return before + item + after.split("}", 1)[1]


def figures(name, entry):
    return {
        "name": name,
        "requests": entry.num_requests,
        "failures": entry.num_failures,
        "p50": entry.get_response_time_percentile(0.5),
        "p95": entry.get_response_time_percentile(0.95),
        "p99": entry.get_response_time_percentile(0.99),
        "max": entry.max_response_time,
    }


@events.init.add_listener
def quiet(**_):
    # The command `load run` prints the report.
    if os.environ.get("LOAD_REPORT"):
        logging.getLogger("locust.stats_logger").setLevel(logging.CRITICAL)


@events.quitting.add_listener
def report(environment, **_):
    stats, total = environment.stats, environment.stats.total
    routes = [figures(f"{one.method} {one.name}", one) for one in stats.entries.values()]
    result = {
        "routes": sorted(routes, key=lambda one: one["name"]),
        "total": figures("all", total),
        "statuses": {str(status): count for status, count in STATUSES.items() if not 200 <= status < 400},
    }
    if os.environ.get("LOAD_REPORT"):
        pathlib.Path(os.environ["LOAD_REPORT"]).write_text(json.dumps(result))
    slow = total.get_response_time_percentile(0.99) > PLAN["p99_ms"]
    failing = total.fail_ratio * 100 > PLAN["errors_percent"]
    environment.process_exit_code = 1 if slow or failing or total.num_requests == 0 else 0
