// Live connections of a running helpdesk, with the clients that most programs use: `ws` and
// `eventsource`.
//
//   BASE_URL=http://127.0.0.1:8000 node live.mjs
//
// Exits with 1 and says which step failed.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createRequire } from "node:module";
import net from "node:net";

const require = createRequire(new URL("../../../../tools/package.json", import.meta.url));
const WebSocket = require("ws");
const { EventSource } = require("eventsource");

const base = new URL(process.env.BASE_URL ?? "http://127.0.0.1:8000");
const TIMEOUT = 30_000;

async function call(method, path, token, body) {
  const headers = { "Content-Type": "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  const response = await fetch(new URL(path, base), { method, headers, body: body && JSON.stringify(body) });
  const json = await response.json();
  assert.ok(response.ok, JSON.stringify(json));
  return json;
}

async function logIn(name) {
  const body = { email: `${name}@example.com`, password: "correct horse battery staple" };
  return (await call("POST", "/v1/auth/login", null, body)).access_token;
}

/** Fails if this takes too long. */
function soon(promise, what) {
  const late = new Promise((_, reject) => setTimeout(() => reject(new Error(`no ${what}`)), TIMEOUT).unref());
  return Promise.race([promise, late]);
}

/** Values that arrive, and a wait until one fits. */
function inbox() {
  const all = [];
  let wake = () => {};
  return {
    all,
    push(value) {
      all.push(value);
      wake();
    },
    async first(fits, what) {
      const search = async () => {
        for (;;) {
          const found = all.find(fits);
          if (found) return found;
          await new Promise((resolve) => (wake = resolve));
        }
      };
      return soon(search(), what);
    },
  };
}

function socket(path, options) {
  const url = new URL(path, base);
  url.protocol = "ws:";
  const client = new WebSocket(url, "helpdesk.v1", options);
  const messages = inbox();
  client.on("message", (data) => messages.push(JSON.parse(data)));
  return { client, messages, send: (message) => client.send(JSON.stringify(message)) };
}

/** A relay whose connections can be cut. */
async function relay() {
  const sockets = new Set();
  const server = net.createServer((from) => {
    const to = net.connect(base.port, base.hostname);
    from.pipe(to).pipe(from);
    for (const one of [from, to]) {
      sockets.add(one);
      one.on("error", () => {});
      one.on("close", () => [from, to].forEach((each) => each.destroy()));
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    cut: () => sockets.forEach((one) => one.destroy()),
    close: () => server.close(),
  };
}

const [customer, agent] = await Promise.all([logIn("customer"), logIn("agent")]);
const ticket = (await call("POST", "/v1/tickets", customer, { subject: "peers", body: "peers" })).id;
const comment = (body) => call("POST", `/v1/tickets/${ticket}/comments`, agent, { body });

const steps = {
  async "ws: messages, events, pings"() {
    const { client, messages, send } = socket("/v1/socket", { headers: { Authorization: `Bearer ${customer}` } });
    await soon(once(client, "open"), "101");
    assert.equal(client.protocol, "helpdesk.v1");
    assert.equal(client.extensions, "", "no compression is agreed on");
    send({ type: "ping" });
    await messages.first((one) => one.type === "pong", "pong");
    client.ping("payload");
    const [payload] = await soon(once(client, "pong"), "pong frame");
    assert.equal(payload.toString(), "payload");
    send({ type: "subscribe", topic: `ticket:${ticket}` });
    await messages.first((one) => one.type === "subscribed", "confirmation");
    await comment("for ws");
    await messages.first((one) => one.type === "event" && one.data.body === "for ws", "event");
    send({ type: "subscribe", topic: "queue" });
    await messages.first((one) => one.type === "error" && one.code === "agents_only", "problem");
    send({ type: "unknown" });
    await messages.first((one) => one.type === "error" && one.errors.length > 0, "validation problem");
    client.close(1000, "done");
    const [code] = await soon(once(client, "close"), "close");
    assert.equal(code, 1000);
  },

  async "ws: a connection token opens one socket"() {
    const { token } = await call("POST", "/v1/live/tokens", customer);
    const { client } = socket(`/v1/socket?token=${token}`);
    await soon(once(client, "open"), "101");
    client.terminate();
    const again = socket(`/v1/socket?token=${token}`).client;
    const [error] = await soon(once(again, "error"), "refusal");
    assert.match(error.message, /401/);
  },

  async "ws: a foreign origin and a missing login are refused"() {
    const headers = { Authorization: `Bearer ${customer}` };
    const foreign = socket("/v1/socket", { headers, origin: "https://elsewhere.example" }).client;
    assert.match((await soon(once(foreign, "error"), "refusal"))[0].message, /403/);
    const anonymous = socket("/v1/socket").client;
    assert.match((await soon(once(anonymous, "error"), "refusal"))[0].message, /401/);
  },

  async "eventsource: events, and a resume after the connection was cut"() {
    const through = await relay();
    const authorized = (url, init) => fetch(url, { ...init, headers: { ...init.headers, Authorization: `Bearer ${customer}` } });
    const source = new EventSource(`${through.origin}/v1/tickets/${ticket}/events`, { fetch: authorized });
    const events = inbox();
    source.addEventListener("ticket.commented", (event) => events.push({ id: event.lastEventId, ...JSON.parse(event.data) }));
    await soon(new Promise((resolve) => (source.onopen = resolve)), "200");
    await comment("one");
    await events.first((one) => one.body === "one", "event");
    through.cut();
    await comment("two, while cut off");
    await comment("three");
    await events.first((one) => one.body === "three", "event after the reconnect");
    assert.deepEqual(events.all.map((one) => one.body), ["one", "two, while cut off", "three"]);
    source.close();
    through.close();
    through.cut();
  },
};

for (const [name, step] of Object.entries(steps)) {
  try {
    await step();
    console.log(`ok      ${name}`);
  } catch (error) {
    console.error(`FAILED  ${name}\n${error.stack ?? error}`);
    process.exit(1);
  }
}
process.exit(0);
