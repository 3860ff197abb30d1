// Tests of the modules that need no browser: `node --test modules.test.mjs`.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const load = (name) => import(new URL(`../../assets/${name}.js`, import.meta.url));
const { eventReader } = await load("event-stream");
const { exampleOf } = await load("example");
const { prettyText, prettyTokens } = await load("json-text");
const { findTarget, matchPath } = await load("links");
const { findLogin } = await load("login");
const { isSafeLink, parseBlocks, parseInline } = await load("markdown");
const { problemsOf } = await load("problems");
const { buildRequest, curl } = await load("request");
const { choices, limits, typeLabel, view } = await load("schema");
const { accessOf, scopesOf } = await load("security");
const { messageExamples, pathParameters, readSockets, socketUrl } = await load("sockets");
const { parametersOf, readSpec, resolveRef } = await load("spec");

const { parse, quantile, total } = await import(
  new URL("../../../doyen-telemetry/assets/metrics.js", import.meta.url)
);

const fixture = new URL("../fixtures/helpdesk.openapi.json", import.meta.url);
const spec = readSpec(JSON.parse(readFileSync(fixture, "utf8")), "http://127.0.0.1/openapi.json");
const operation = (id) => spec.byId.get(id);
const doc = spec.doc;
const ref = (name) => ({ $ref: `#/components/schemas/${name}` });

test("tags keep the order of the document", () => {
  assert.deepEqual(spec.tags.map((tag) => tag.name), ["auth", "account", "tickets", "comments", "users", "webhooks", "service"]);
});

test("two operations with the same id stay apart", () => {
  const twice = readSpec({ openapi: "3.1.0", paths: { "/a": { get: { operationId: "x" } }, "/b": { get: { operationId: "x" } } } }, "http://h/");
  assert.equal(twice.byId.size, 2);
});

test("parameters of the path are joined with those of the operation", () => {
  const names = parametersOf(spec, operation("show_ticket")).map((parameter) => `${parameter.in} ${parameter.name}`);
  assert.deepEqual(names, ["path id", "header If-None-Match"]);
});

test("a reference to itself ends", () => {
  const loop = { components: { schemas: { A: { $ref: "#/components/schemas/A" } } } };
  assert.deepEqual(resolveRef(loop, { $ref: "#/components/schemas/A" }), {});
  assert.equal(view(loop, { allOf: [{ $ref: "#/components/schemas/A" }] }).type, "any");
});

test("a server elsewhere lends its path, not its host", () => {
  const other = readSpec({ openapi: "3.1.0", servers: [{ url: "https://elsewhere.example/api/" }] }, "http://h/openapi.json");
  assert.equal(other.base, "/api");
});

test("or null is shown as such, in all three spellings", () => {
  assert.equal(typeLabel(doc, { type: ["string", "null"] }), "string or null");
  assert.equal(typeLabel(doc, { anyOf: [ref("Person"), { type: "null" }] }), "Person or null");
  assert.equal(typeLabel(doc, { oneOf: [{ type: "null" }, { type: "integer" }] }), "integer or null");
});

test("allOf is one object", () => {
  const joined = view(doc, { allOf: [ref("Person"), { required: ["age"], properties: { age: { type: "integer" } } }] });
  assert.deepEqual(Object.keys(joined.schema.properties), ["id", "name", "age"]);
  assert.deepEqual(joined.schema.required, ["id", "name", "age"]);
});

test("limits are said in words", () => {
  assert.deepEqual(limits({ minLength: 1, maxLength: 20000 }), ["1 to 20,000 characters"]);
  assert.deepEqual(limits({ exclusiveMinimum: 0, maximum: 5 }), ["> 0, ≤ 5"]);
  assert.deepEqual(choices(view(doc, ref("Status")).schema), ["open", "pending", "solved", "closed"]);
});

test("an example is what the schema allows", () => {
  assert.deepEqual(exampleOf(doc, ref("NewTicket"), { request: true }), { subject: "string", body: "string", priority: "normal", tags: ["string"] });
  assert.deepEqual(exampleOf(doc, ref("TicketPatch"), { request: true, patch: true }), { subject: "string" });
  assert.equal(exampleOf(doc, { type: "integer", minimum: 7, maximum: 9 }), 7);
  assert.equal(exampleOf(doc, { type: "string", minLength: 12 }).length, 12);
});

test("the ends of 64-bit numbers are shown exactly", () => {
  const parsed = JSON.parse('{"minimum": 0, "maximum": 18446744073709551615}');
  assert.deepEqual(limits(parsed), ["0 to 18446744073709551615"]);
  const signed = JSON.parse('{"minimum": -9223372036854775808, "maximum": 9223372036854775807}');
  assert.deepEqual(limits(signed), ["-9223372036854775808 to 9223372036854775807"]);
  assert.deepEqual(limits({ exclusiveMinimum: 0.1, maximum: 9007199254740991 }), ["> 0.1, ≤ 9007199254740991"]);
});

test("an example of a number is within its limits", () => {
  for (const [schema, example] of [
    [{ type: "number", minimum: 0.1, maximum: 0.3 }, 0.1],
    [{ type: "number", exclusiveMinimum: 0.1, exclusiveMaximum: 0.3 }, 0.2],
    [{ type: "number", exclusiveMinimum: 5 }, 6],
    [{ type: "number", maximum: -2.5 }, -2.5],
    [{ type: "number", exclusiveMaximum: 0 }, -1],
    [{ type: "number", minimum: 0.15, maximum: 0.35, multipleOf: 0.1 }, 0.2],
    [{ type: "number" }, 1],
    [{ type: "integer", minimum: 1, maximum: 100 }, 1],
    [{ type: "integer", minimum: 7, maximum: 11, multipleOf: 5 }, 10],
    [{ type: "integer", exclusiveMaximum: 0 }, -1],
    [{ type: "integer", minimum: -9, maximum: -5, multipleOf: 4 }, -8],
    [{ type: "integer", minimum: 0, maximum: 0 }, 0],
    [{ type: "integer", exclusiveMinimum: 9 }, 10],
  ]) {
    assert.equal(exampleOf(doc, schema), example, JSON.stringify(schema));
  }
});

test("an example of a schema that contains itself is finite", () => {
  const user = exampleOf(doc, ref("User"));
  assert.equal("manager" in user, false);
  assert.deepEqual(exampleOf(doc, ref("Comment")).replies, []);
});

test("a request leaves out what only the server sets", () => {
  assert.equal("id" in exampleOf(doc, ref("User"), { request: true }), false);
  assert.equal("password" in exampleOf(doc, ref("Credentials")), false);
});

test("large numbers are shown as they were sent", () => {
  assert.equal(prettyText('{"id":9007199254740993,"a":[],"b":{},"c":[1,2]}'), '{\n  "id": 9007199254740993,\n  "a": [],\n  "b": {},\n  "c": [\n    1,\n    2\n  ]\n}');
  assert.equal(prettyTokens("{not json}"), null);
  assert.equal(prettyText('"{\\"a\\": [1,2]}"'), '"{\\"a\\": [1,2]}"');
});

test("an address finds its operation, the literal path first", () => {
  assert.equal(findTarget(spec, "/v1/tickets/tkt_1?x=2").href, "#/op/show_ticket?path.id=tkt_1&query.x=2");
  assert.equal(findTarget(spec, "//evil.example/v1/me"), null);
  assert.equal(findTarget(spec, "/nothing/here"), null);
  assert.deepEqual([...matchPath("/a/{b}", "/a/%20c")], [["b", " c"]]);
});

test("values cannot leave their place in the address", () => {
  const parameters = parametersOf(spec, operation("show_ticket"));
  const { url } = buildRequest(spec, operation("show_ticket"), [{ parameter: parameters[0], value: "../../admin?x#y" }]);
  assert.equal(url, "/v1/tickets/..%2F..%2Fadmin%3Fx%23y");
});

test("lists repeat their name, empty values are not sent", () => {
  const inputs = parametersOf(spec, operation("list_tickets")).map((parameter) => ({ parameter, value: { tag: "a, b", limit: "5" }[parameter.name] ?? "" }));
  assert.equal(buildRequest(spec, operation("list_tickets"), inputs).url, "/v1/tickets?tag=a&tag=b&limit=5");
});

test("the curl command is safe in a shell", () => {
  const command = curl({ method: "POST", url: "/x", headers: [["A", "it's"]], body: undefined, curlBody: [] }, "http://h");
  assert.equal(command, "curl -X POST 'http://h/x' \\\n  -H 'A: it'\\''s'");
});

test("the login operation is found by its mark or by its shape", () => {
  assert.equal(findLogin(spec).operation.id, "login");
  const plain = structuredClone(doc);
  delete plain.paths["/v1/auth/login"].post["x-doyen-login"];
  assert.equal(findLogin(readSpec(plain, "http://h/")).nameField, "email");
  delete plain.paths["/v1/auth/login"];
  assert.equal(findLogin(readSpec(plain, "http://h/")), null);
});

test("access says who may call", () => {
  assert.equal(accessOf(spec, operation("livez")).public, true);
  assert.deepEqual(scopesOf(accessOf(spec, operation("open_ticket"))), ["tickets:write"]);
  assert.equal(accessOf(spec, { raw: { security: [{}, { bearer: [] }] } }).optional, true);
});

test("problem codes come from the schema and from the extension", () => {
  const response = operation("open_ticket").raw.responses["409"];
  assert.deepEqual(problemsOf(spec, response).map(({ code }) => code), ["idempotency_mismatch", "idempotency_in_progress"]);
  assert.deepEqual(problemsOf(spec, { "x-problem-codes": ["a", { code: "b", title: "B" }] }).map(({ title }) => title), ["", "B"]);
});

test("Markdown keeps to its subset", () => {
  const kinds = parseBlocks("One\ntwo\n\n- a\n- b\n  more\n\n```\n<b>\n```\n# Head\n1. x").map((block) => block.kind);
  assert.deepEqual(kinds, ["paragraph", "list", "code", "heading", "list"]);
  assert.deepEqual(parseInline("a `b*c*` **d** [e](/f) 2 * 3 * 4").map((part) => part.kind), ["text", "code", "text", "strong", "text", "link", "text"]);
});

test("only harmless links become links", () => {
  for (const href of ["javascript:alert(1)", "JavaScript:x", "data:text/html,x", "vbscript:x", "//evil.example", " javascript:x"]) {
    assert.equal(isSafeLink(href), false, href);
  }
  assert.equal(parseInline("[x](javascript:alert)").every((part) => part.kind === "text"), true);
  for (const href of ["https://a.example", "/docs", "#/op/x", "./x", "mailto:a@b.example"]) assert.equal(isSafeLink(href), true, href);
});

test("events of a stream are read however their bytes arrive", () => {
  const text = "retry: 2000\n\nevent: ticket.created\nid: 7\ndata: {\"a\":\ndata: 1}\n\n: keep-alive\n\ndata:x\r\n\r\n: closed: draining\n\nid: 8\n\ndata: cut";
  const expected = [
    { kind: "event", event: "ticket.created", id: "7", data: '{"a":\n1}' },
    { kind: "comment", text: "keep-alive" },
    { kind: "event", event: "message", id: "", data: "x" },
    { kind: "comment", text: "closed: draining" },
  ];
  for (let size = 1; size <= text.length; size += 1) {
    const read = eventReader();
    const items = [];
    for (let at = 0; at < text.length; at += size) items.push(...read(text.slice(at, at + size)));
    assert.deepEqual(items, expected, `pieces of ${size}`);
  }
});

test("an event without an end is not kept forever", () => {
  const read = eventReader();
  for (let part = 0; part < 30; part += 1) assert.deepEqual(read("x".repeat(100_000)), []);
  assert.deepEqual(read("\n\ndata: 1\n\n").slice(-1), [{ kind: "event", event: "message", id: "", data: "1" }]);
});

const asyncapi = {
  asyncapi: "3.0.0",
  "x-connection-tokens": "/live/tokens",
  channels: {
    chat: {
      address: "/rooms/{room}/socket",
      title: "Chat",
      messages: { fromClient: { payload: { $ref: "#/components/schemas/In" } }, fromServer: { payload: { type: "object" } } },
      bindings: { ws: { headers: { properties: { "Sec-WebSocket-Protocol": { const: "chat.v1" } } } } },
    },
  },
  components: { schemas: { In: { oneOf: [
    { type: "object", required: ["type", "text"], properties: { type: { const: "say" }, text: { type: "string" }, after: { type: "string" } } },
    { type: "object", required: ["type"], properties: { type: { const: "ping" } } },
  ] } } },
};

test("a socket is read from the AsyncAPI document", () => {
  const { list, tokens } = readSockets(asyncapi);
  assert.equal(tokens, "/live/tokens");
  const [{ id, path, title, protocol }] = list;
  assert.deepEqual([id, path, title, protocol], ["chat", "/rooms/{room}/socket", "Chat", "chat.v1"]);
  assert.deepEqual(pathParameters(path), ["room"]);
  for (const other of [null, {}, { asyncapi: "3.0.0" }, { asyncapi: "3.0.0", channels: { a: { address: "mqtt" } } }]) {
    assert.deepEqual(readSockets(other).list, []);
  }
});

test("each kind of message has an example with its required fields", () => {
  const examples = messageExamples(asyncapi, readSockets(asyncapi).list[0].receives);
  assert.deepEqual(examples, [
    { name: "say", value: { type: "say", text: "string" } },
    { name: "ping", value: { type: "ping" } },
  ]);
});

test("the address of a socket has the prefix, the parameters and the token", () => {
  const [socket] = readSockets(asyncapi).list;
  const url = (page, token) => socketUrl("/api", socket, { room: "a/b" }, token, page);
  assert.equal(url("http://h:8000/docs#/x", "t_1"), "ws://h:8000/api/rooms/a%2Fb/socket?token=t_1");
  assert.equal(url("https://h/docs", ""), "wss://h/api/rooms/a%2Fb/socket");
});

test("metrics are read with their labels, escapes and buckets", () => {
  const text = [
    "# TYPE a_total counter",
    'a_total{to="x\\"y\\\\z\\n",kind="1"} 3',
    'a_total{to="b",kind="1"} 4',
    "plain 0.5",
    'took_bucket{route="/a",le="0.1"} 1',
    'took_bucket{route="/a",le="1"} 9',
    'took_bucket{route="/a",le="+Inf"} 10',
    "",
  ].join("\n");
  const metrics = parse(text);
  assert.equal(metrics.get("a_total")[0].labels.to, 'x"y\\z\n');
  assert.equal(total(metrics, "a_total"), 7);
  assert.equal(total(metrics, "a_total", { to: "b" }), 4);
  assert.equal(total(metrics, "none"), 0);
  assert.equal(total(metrics, "plain"), 0.5);
  assert.equal(quantile(metrics, "took", { route: "/a" }, 0.5), 1);
  assert.equal(quantile(metrics, "took", { route: "/a" }, 0.1), 0.1);
  assert.equal(quantile(metrics, "took", { route: "/a" }, 0.99), null, "above all bounds");
  assert.equal(quantile(metrics, "took", { route: "/b" }, 0.5), null);
});
