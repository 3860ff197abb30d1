// Load of an application, for k6. `plan.json` says what it has; both files are written by the
// command `load` of the application.
//
//   k6 run --env LOAD_URL=http://127.0.0.1:8000 --env LOAD_USERS=ada@example.com \
//     --env LOAD_PASSWORD=.. k6.js
//
// The arrival of journeys is an open model: they begin at the rate of the plan and do not wait for
// each other. A slow server therefore gets more concurrent requests, as from real users.
//
// LOAD_URL        the address of the application
// LOAD_USERS      addresses of users, separated by commas
// LOAD_PASSWORD   the password of all of them
// LOAD_TOKEN      an access token to use instead
// LOAD_REPORT     the file to write the result to, as JSON

import { sleep } from "k6";
import http from "k6/http";
import { Counter, Rate, Trend } from "k6/metrics";

const plan = JSON.parse(open("./plan.json"));
const url = (__ENV.LOAD_URL || "http://127.0.0.1:8000").replace(/\/$/, "");
// An access token is replaced before it ends.
const TOKEN_MS = 300000;

// Requests of journeys only: a login is slow on purpose, and not part of the load.
const duration = new Trend("request_duration", true);
const failed = new Rate("request_failed");
const responses = new Counter("responses");

// Braces have a meaning in the names of metrics.
function label(method, path) {
  return `${method} ${path.replace(/\{([^}]*)\}/g, ":$1")}`;
}

const routes = [];
for (const path of plan.reads) routes.push(label("GET", path));
for (const one of plan.resources) {
  for (const path of [one.list, one.item, ...one.parts]) if (path) routes.push(label("GET", path));
  const writes = [one.create && one.create.path, ...one.adds.map((add) => add.path), ...one.actions];
  for (const path of writes) if (path) routes.push(label("POST", path));
}

const thresholds = {
  request_duration: [`p(99)<=${plan.p99_ms}`],
  request_failed: [`rate<=${plan.errors_percent / 100}`],
};
// k6 keeps the figures of a route only if a threshold names it.
for (const name of routes) {
  thresholds[`request_duration{name:${name}}`] = ["max>=0"];
  thresholds[`request_failed{name:${name}}`] = ["rate>=0"];
}
for (const status of [0, 400, 401, 403, 404, 408, 409, 412, 413, 422, 429, 500, 502, 503, 504]) {
  thresholds[`responses{status:${status}}`] = ["count>=0"];
}

export const options = {
  scenarios: {
    journeys: {
      executor: "constant-arrival-rate",
      exec: "journey",
      // k6 wants whole numbers.
      rate: Math.max(1, Math.round(plan.rate * 60)),
      timeUnit: "60s",
      duration: `${plan.seconds}s`,
      preAllocatedVUs: Math.max(10, Math.ceil(plan.rate * 2)),
      maxVUs: 2000,
    },
  },
  thresholds,
  summaryTrendStats: ["med", "p(95)", "p(99)", "max", "count"],
  discardResponseBodies: false,
};

function login(email) {
  const body = JSON.stringify({ email, password: __ENV.LOAD_PASSWORD || "" });
  const headers = { "Content-Type": "application/json" };
  const answer = http.request("POST", url + plan.login, body, { headers });
  if (answer.status !== 200) throw new Error(`${email} cannot log in: ${answer.status} ${answer.body}`);
  return { email, token: answer.json().access_token, since: Date.now() };
}

function headersOf(account) {
  return account.token ? { Authorization: `Bearer ${account.token}` } : {};
}

// Logs in, and leaves out what the users may not read.
export function setup() {
  const users = (__ENV.LOAD_USERS || "").split(",").filter((user) => user);
  const accounts = users.length ? users.map(login) : [{ token: __ENV.LOAD_TOKEN || null }];
  const may = (path) => {
    const answer = http.request("GET", url + path, null, { headers: headersOf(accounts[0]) });
    const denied = answer.status === 401 || answer.status === 403;
    if (denied) console.log(`left out, ${answer.status}: GET ${path}`);
    return !denied;
  };
  const reads = plan.reads.filter(may);
  const resources = plan.resources.filter((one) => may(one.list));
  if (!reads.length && !resources.length) {
    throw new Error("the users may read nothing: set LOAD_USERS and LOAD_PASSWORD");
  }
  return { accounts, reads, resources };
}

function choose(all) {
  return all[Math.floor(Math.random() * all.length)];
}

function think() {
  if (plan.think_seconds > 0) sleep(-Math.log(1 - Math.random()) * plan.think_seconds);
}

function filled(path, item) {
  return item === null ? path : path.replace(/\{[^}]*\}/, item);
}

// The accounts of this virtual user, whose tokens it replaces itself.
let own = null;

export function journey(data) {
  own = own || data.accounts.map((account) => ({ ...account }));
  const account = choose(own);
  if (account.email && Date.now() - account.since > TOKEN_MS) Object.assign(account, login(account.email));
  const headers = headersOf(account);
  const creatable = data.resources.filter((one) => one.create);
  if (creatable.length && Math.random() * 100 < plan.writes_percent) write(choose(creatable), headers);
  else if (data.resources.length && (!data.reads.length || Math.random() < 0.7)) {
    browse(choose(data.resources), headers);
  } else send("GET", choose(data.reads), headers);
}

function browse(resource, headers) {
  const page = send("GET", resource.list, headers);
  const items = (page && (page.items || page)) || [];
  if (!items.length) return;
  const item = choose(items).id;
  if (resource.item) {
    think();
    send("GET", resource.item, headers, item);
  }
  if (resource.parts.length) {
    think();
    send("GET", choose(resource.parts), headers, item);
  }
}

function write(resource, headers) {
  const created = send("POST", resource.create.path, headers, null, resource.create.body);
  if (!created) return;
  const item = created.id;
  for (const add of resource.adds) {
    think();
    send("POST", add.path, headers, item, add.body);
  }
  // Only actions that the item offers now: they follow the order of its states.
  for (let step = 0; step < 2; step += 1) {
    think();
    const view = send("GET", resource.item, headers, item) || {};
    const links = Object.values(view._links || {}).map((link) => link.href);
    const offered = resource.actions.filter((path) => links.includes(filled(path, item)));
    if (!offered.length) return;
    think();
    send("POST", choose(offered), headers, item);
  }
}

// Sends a request. Returns the body of a success.
function send(method, path, headers, item = null, body = null) {
  const name = label(method, path);
  const all = { ...headers };
  if (method === "POST") all["Idempotency-Key"] = `load-${Date.now()}-${Math.random()}`;
  if (body !== null) all["Content-Type"] = "application/json";
  const content = body === null ? null : JSON.stringify(body);
  const answer = http.request(method, url + filled(path, item), content, { headers: all, tags: { name } });
  const isFine = answer.status >= 200 && answer.status < 400;
  duration.add(answer.timings.duration, { name });
  failed.add(!isFine, { name });
  responses.add(1, { status: String(answer.status) });
  if (!isFine || !answer.body) return null;
  try {
    return answer.json();
  } catch {
    return null;
  }
}

function figures(metrics, name, tag) {
  const time = metrics[`request_duration${tag}`];
  const failure = metrics[`request_failed${tag}`];
  if (!time || !failure || !time.values.count) return null;
  const { values } = time;
  return {
    name,
    requests: values.count,
    // A rate counts what is true as `passes`.
    failures: failure.values.passes,
    p50: values.med,
    p95: values["p(95)"],
    p99: values["p(99)"],
    max: values.max,
  };
}

export function handleSummary(data) {
  const { metrics } = data;
  const statuses = {};
  for (const [name, metric] of Object.entries(metrics)) {
    const status = /^responses\{status:(\d+)\}$/.exec(name);
    if (status && metric.values.count) statuses[status[1]] = metric.values.count;
  }
  const total = figures(metrics, "all", "");
  const report = {
    routes: routes.map((name) => figures(metrics, name, `{name:${name}}`)).filter((one) => one),
    total: total || { name: "all", requests: 0, failures: 0 },
    statuses,
  };
  const text = JSON.stringify(report);
  return __ENV.LOAD_REPORT ? { [__ENV.LOAD_REPORT]: text } : { stdout: `${text}\n` };
}
