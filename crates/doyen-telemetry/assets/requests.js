// The recent requests, jobs, events and messages as they end, and one of them as a waterfall.
//
// The hash selects one: `#request=<request id>` or `#number=<number>`.

import { element, find, seconds, show, table } from "./dom.js";

const INTERVAL = 1000;
const SHOWN = 100;

let last = 0;
let items = [];

const time = (millis) => seconds(millis / 1000);
const state = (one) => one.status ?? (one.error ? "failed" : "done");
const kind = (one) => (one.status >= 500 || (one.error && !one.status) ? "bad" : one.status >= 400 ? "warn" : "good");

function link(one) {
  const made = element("a", element("code", one.name));
  made.href = `#number=${one.number}`;
  return made;
}

function list(rows) {
  return table(
    ["At", "Kind", "Name", "Result", "Duration", "Statements", "Time in them", "Request id"],
    rows.map((one) => [
      new Date(one.at).toLocaleTimeString(), one.kind, link(one), element("span", `${state(one)}`, kind(one)),
      time(one.duration_ms), one.statements, time(one.statements_ms), element("code", one.request_id),
    ]),
    [4, 5, 6],
  );
}

// A share of the width. Styles are set by script, which the policy of the page permits.
function bar(start, length, whole, kind) {
  const made = element("span", "", `bar ${kind}`);
  made.style.marginLeft = `${Math.min(99, (100 * start) / whole)}%`;
  made.style.width = `${Math.max(0.5, Math.min(100, (100 * length) / whole))}%`;
  return element("div", made, "track");
}

// The plan is read when it is wanted: the database makes it then.
function plan(one, index) {
  const details = element("details", element("summary", "Plan"));
  details.addEventListener("toggle", async () => {
    const response = await fetch(`requests/${one.number}/steps/${index}/plan`).catch(() => null);
    const text = await response?.text();
    const content = response?.ok ? element("pre", text) : element("p", text ? JSON.parse(text).detail : "no response", "bad");
    details.append(content);
  }, { once: true });
  return details;
}

function waterfall(one) {
  const whole = Math.max(one.duration_ms, 0.001);
  const facts = (step) => Object.entries(step.attributes)
    .map(([name, value]) => element("div", [element("small", name), " ", element("code", `${value}`)]));
  const steps = one.steps.map((step, index) => [step.start_ms, [
    element("code", step.name),
    step.kind,
    bar(step.start_ms, step.duration_ms, whole, step.error ? "failed" : step.kind),
    time(step.start_ms),
    time(step.duration_ms),
    [...(step.error ? [element("div", step.error, "bad")] : []), ...facts(step),
      ...(step.kind === "statement" ? [plan(one, index)] : [])],
  ]]);
  const lines = one.log.map((line) => [line.start_ms, [
    "log", line.level, bar(line.start_ms, 0, whole, "log"), time(line.start_ms), "",
    element("span", line.text, { error: "bad", warn: "warn" }[line.level]),
  ]]);
  const rows = [...steps, ...lines].sort(([a], [b]) => a - b).map(([, row]) => row);
  return table(["Step", "Kind", "When", "Start", "Duration", "Facts"], rows, [3, 4]);
}

function detail(one) {
  const facts = [
    ["Result", `${state(one)}${one.error ? ` ${one.error}` : ""}`], ["Duration", time(one.duration_ms)],
    ["Request id", one.request_id], ["Trace id", one.trace_id], ...Object.entries(one.facts),
  ];
  const dropped = one.steps_dropped ? [element("p", `${one.steps_dropped} further steps were not kept.`, "warn")] : [];
  show("request", [
    element("h3", [`${one.kind} `, element("code", one.name)]),
    element("dl", facts.map(([name, text]) => element("div", [element("dt", name), element("dd", `${text}`)])), "facts"),
    waterfall(one),
    ...dropped,
    ...(one.trace.length ? [element("h3", "In the same trace"), list(one.trace)] : []),
  ]);
}

async function read(path) {
  const response = await fetch(path, { signal: AbortSignal.timeout(10_000) });
  if (!response.ok) throw new Error(response.status === 404 ? "no longer kept" : `${path}: ${response.status}`);
  return response.json();
}

async function select() {
  const hash = new URLSearchParams(location.hash.slice(1));
  let number = hash.get("number");
  const id = hash.get("request");
  try {
    if (id) {
      // Its jobs have the same id: the request itself ended first.
      const found = (await read(`requests?request_id=${encodeURIComponent(id)}`)).items;
      number = (found.find((one) => one.kind === "request") ?? found[0])?.number;
      if (number === undefined) throw new Error("no longer kept, or not ended yet");
    }
    if (!number) return;
    detail(await read(`requests/${encodeURIComponent(number)}`));
    find("request").scrollIntoView({ block: "nearest" });
  } catch (error) {
    show("request", element("p", `The request cannot be shown: ${error.message}`, "bad"));
  }
}

async function update() {
  const answer = await read(`requests?after=${last}`);
  // Another process counts from 1 again.
  if (answer.last < last) {
    last = 0;
    items = [];
    return;
  }
  last = answer.last;
  if (answer.items.length === 0) return;
  items = [...items, ...answer.items].slice(-SHOWN);
  show("requests", list(items.toReversed()));
}

export async function follow(isPaused) {
  const { max } = await read("requests?after=0");
  if (max === 0) {
    show("requests", "No requests are recorded: set `admin.requests`, such as `admin.requests = 200`.");
    return;
  }
  window.addEventListener("hashchange", select);
  select();
  for (;;) {
    if (!isPaused()) {
      // The other part of the page says that there is no answer.
      await update().catch(() => {});
    }
    await new Promise((resolve) => setTimeout(resolve, INTERVAL));
  }
}
