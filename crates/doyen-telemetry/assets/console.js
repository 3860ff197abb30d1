// The console: reads what the admin address serves, every two seconds, and shows it as tables.

import { element, find, seconds, show, table } from "./dom.js";
import { parse, quantile, total } from "./metrics.js";
import { operate } from "./operate.js";
import { follow } from "./requests.js";

const INTERVAL = 2000;

let before = null;
let paused = false;

const bytes = (value) => `${(value / 2 ** 20).toFixed(1)} MiB`;
const rate = (now, then, span) => (span > 0 ? (Math.max(0, now - then) / span).toFixed(1) : "");

function health(readiness) {
  const kinds = { ok: "good", degraded: "warn" };
  const kind = kinds[readiness.status] ?? "bad";
  show("status", element("span", readiness.status, kind));
  const rows = readiness.dependencies.map((one) => [
    one.name,
    element("span", one.status, one.status === "ok" ? "good" : one.required ? "bad" : "warn"),
    seconds(one.latency_ms / 1000),
    one.error,
  ]);
  show("health", table(["Check", "State", "Duration", "Error"], rows, [2]));
}

function routes(metrics, then, span) {
  const counts = new Map();
  const add = (samples, field) => {
    for (const { labels, value } of samples ?? []) {
      const key = `${labels.method} ${labels.route}`;
      const one = counts.get(key) ?? { now: 0, then: 0, failed: 0 };
      one[field] += value;
      if (field === "now" && labels.status.startsWith("5")) one.failed += value;
      counts.set(key, one);
    }
  };
  add(metrics.get("http_server_requests_total"), "now");
  add(then?.get("http_server_requests_total"), "then");
  const rows = [...counts].sort(([, a], [, b]) => b.now - a.now).map(([key, one]) => {
    const [method, route] = key.split(" ");
    const name = "http_server_request_duration_seconds";
    const at = (share) => seconds(quantile(metrics, name, { method, route }, share));
    const failed = one.failed ? element("span", `${one.failed}`, "bad") : "0";
    return [element("code", key), one.now, then ? rate(one.now, one.then, span) : "", failed, at(0.5), at(0.99)];
  });
  const head = ["Route", "Requests", "a second", "5xx", "p50 up to", "p99 up to"];
  show("routes", table(head, rows, [1, 2, 3, 4, 5]));
}

function figures(metrics, then, span) {
  const value = (name, labels) => total(metrics, name, labels);
  const all = [
    ["Requests a second", then ? rate(value("http_server_requests_total"), total(then, "http_server_requests_total"), span) : ""],
    ["In progress", value("http_server_active_requests")],
    ["Refused, overload", value("http_server_shed_requests_total")],
    ["Memory", bytes(value("process_resident_memory_bytes"))],
    ["CPU", then ? `${rate(value("process_cpu_seconds_total") * 100, total(then, "process_cpu_seconds_total") * 100, span)} %` : ""],
    ["Open files", `${value("process_open_fds")} of ${value("process_max_fds")}`],
    ["Connections in use", value("db_pool_connections", { state: "open" }) - value("db_pool_connections", { state: "idle" })],
    ["Transactions a second", then ? rate(value("db_transactions_total"), total(then, "db_transactions_total"), span) : ""],
    ["Async tasks", value("tokio_alive_tasks")],
    ["Up", seconds(Date.now() / 1000 - value("process_start_time_seconds"))],
  ];
  show("figures", all.flatMap(([name, text]) => [element("div", [element("dt", name), element("dd", `${text}`)])]));
}

function others(metrics) {
  const shown = /^(http_server|process|tokio|health_check|build_info)/;
  const rows = [...metrics].filter(([name]) => !shown.test(name) && !name.endsWith("_bucket"));
  const lines = rows.flatMap(([name, samples]) =>
    samples.map(({ labels, value }) => {
      const pairs = Object.entries(labels).map(([key, text]) => `${key}=${text}`);
      return [element("code", name), pairs.join(", "), value];
    }));
  show("metrics", table(["Metric", "Labels", "Value"], lines, [2]));
}

function plugins(report) {
  operate(report, () => paused);
  const rows = report.plugins.map((one) => [
    element("code", one.name), one.about, one.origin, one.requires.join(", "),
    seconds(one.start_seconds ?? null),
  ]);
  show("plugins", table(["Plugin", "About", "Origin", "Requires", "Start"], rows, [4]));
}

function policies(report) {
  const who = (one) =>
    one.anyone ? "anyone" : [one.scopes.join(" and ") || "signed in", ...(one.roles.length ? [`(${one.roles.join(" or ")})`] : [])].join(" ");
  const limit = (one) => (one.unlimited ? `unlimited: ${one.unlimited}` : one.limits.join(", "));
  const rows = report.routes.map((one) => [element("code", `${one.method} ${one.path}`), one.operation, who(one), limit(one)]);
  show("policies", table(["Route", "Operation", "Allow", "Limit"], rows, []));
}

function settings(report) {
  const rows = report.settings.map((one) => [element("code", one.key), element("code", one.value), one.origin]);
  show("settings", table(["Setting", "Value", "Origin"], rows, []));
}

async function read(path) {
  const response = await fetch(path, { signal: AbortSignal.timeout(10_000) });
  // A node that is not ready says so with a 503 and the same body.
  if (!response.ok && response.status !== 503) throw new Error(`${path}: ${response.status}`);
  return response;
}

async function update() {
  const [metricsText, readiness] = await Promise.all([
    read("metrics").then((response) => response.text()),
    read("readyz?verbose").then((response) => response.json()),
  ]);
  const now = { metrics: parse(metricsText), at: performance.now() };
  const span = before ? (now.at - before.at) / 1000 : 0;
  const [build] = now.metrics.get("build_info") ?? [];
  if (build) {
    const { name, version, doyen } = build.labels;
    show("name", `${name} ${version}`);
    document.title = `${name} - console`;
    find("name").title = `Doyen ${doyen}`;
  }
  health(readiness);
  figures(now.metrics, before?.metrics, span);
  routes(now.metrics, before?.metrics, span);
  others(now.metrics);
  before = now;
}

async function run() {
  if (!paused) {
    try {
      await update();
    } catch (error) {
      show("status", element("span", `no answer: ${error.message}`, "bad"));
      before = null;
    }
  }
  setTimeout(run, INTERVAL);
}

find("pause").addEventListener("click", () => {
  paused = !paused;
  find("pause").setAttribute("aria-pressed", `${paused}`);
  find("pause").textContent = paused ? "Continue" : "Pause";
  before = null;
});

follow(() => paused);
for (const [path, draw] of Object.entries({ plugins, routes: policies, settings })) {
  const id = path === "routes" ? "policies" : path;
  read(path).then((response) => response.json()).then(draw).catch((error) => show(id, `${error.message}`));
}
run();
