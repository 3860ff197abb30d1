// The cache and the circuit breakers: what the address reports of them, and what an operator can
// change. Their sections are shown if the address has their paths.

import { element, find, seconds, show, table } from "./dom.js";

const CACHES_INTERVAL = 10_000;
const BREAKERS_INTERVAL = 2000;
const KINDS = { closed: "good", half_open: "warn", open: "bad", forced_open: "bad" };

const mib = (value) => `${(value / 2 ** 20).toFixed(1)} MiB`;
const share = ({ hits, misses }) => (hits + misses > 0 ? `${((100 * hits) / (hits + misses)).toFixed(1)} %` : "");

async function call(path, method, body) {
  const response = await fetch(path, {
    method,
    headers: body ? { "Content-Type": "application/json" } : {},
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(10_000),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.detail ?? answer.title ?? `${path}: ${response.status}`);
  return answer;
}

async function drawCaches() {
  const { process, redis, policies } = await call("caches", "GET");
  const figures = [
    ["Values", process.entries], ["Memory", `${mib(process.bytes)} of ${mib(process.max_bytes)}`],
    ["Hits", process.hits], ["Misses", process.misses], ["Found", share(process)],
    ["Dropped, full", process.evictions], ["Failed loads", process.failed_loads],
    ["Redis", redis === null ? "none" : redis.state],
  ];
  const rows = policies.map((one) => [
    element("code", one.name), one.entries, mib(one.bytes), one.hits, one.misses, share(one),
  ]);
  show("caches", [
    element("dl", figures.map(([name, text]) => element("div", [element("dt", name), element("dd", `${text}`)])), "facts"),
    table(["Policy", "Values", "Memory", "Hits", "Misses", "Found"], rows, [1, 2, 3, 4, 5]),
  ]);
}

const REACH = {
  this_process: "Evicted in this process.",
  all_processes: "Evicted in all processes.",
  pending: "Evicted in this process. The others follow once Redis responds again.",
};

async function evict() {
  const kind = find("evict-kind").value;
  const text = find("evict-name").value;
  try {
    const { reach } = await call("caches/evict", "POST", { [kind]: kind === "all" ? true : text });
    show("evicted", element("span", REACH[reach] ?? reach, reach === "pending" ? "warn" : "good"));
    await drawCaches();
  } catch (error) {
    show("evicted", element("span", error.message, "bad"));
  }
}

async function change(one) {
  const state = one.state === "forced_open" || one.state === "open" ? "closed" : "forced_open";
  try {
    await call("breakers", "PUT", { client: one.client, host: one.host, state });
    show("breaker-changed", "");
  } catch (error) {
    show("breaker-changed", element("span", error.message, "bad"));
  }
  await drawBreakers();
}

let drawn = "";

async function drawBreakers() {
  const { breakers } = await call("breakers", "GET");
  // A new table would take the focus from its buttons.
  const text = JSON.stringify(breakers);
  if (text === drawn) return;
  drawn = text;
  const rows = breakers.map((one) => {
    const isOpen = one.state === "forced_open" || one.state === "open";
    const button = element("button", isOpen ? "Close" : "Force open");
    button.type = "button";
    button.setAttribute("aria-label", `${isOpen ? "Close" : "Force open"} ${one.client} ${one.host}`);
    button.addEventListener("click", () => change(one));
    return [
      element("code", one.client), element("code", one.host),
      element("span", one.state.replace("_", " "), KINDS[one.state]),
      new Date(one.since).toLocaleTimeString(),
      `${one.failures} of ${one.tries} (opens at ${one.failure_percent} % of ${one.window})`,
      seconds(one.pause_seconds), button,
    ];
  });
  if (rows.length === 0) show("breakers", "No service was called yet");
  else show("breakers", table(["Client", "Host", "State", "Since", "Failures", "Pause", ""], rows, [5]));
}

async function repeat(id, draw, interval, isPaused) {
  for (;;) {
    if (!isPaused()) await draw().catch((error) => show(id, element("span", error.message, "bad")));
    await new Promise((resolve) => setTimeout(resolve, interval));
  }
}

// `report` is that of `/plugins`.
export function operate(report, isPaused) {
  const claims = new Set(report.plugins.flatMap((one) => one.claims));
  const parts = [["caches", drawCaches, CACHES_INTERVAL], ["breakers", drawBreakers, BREAKERS_INTERVAL]];
  for (const [id, draw, interval] of parts) {
    if (!claims.has(`route admin GET /${id}`)) continue;
    find(`${id}-section`).hidden = false;
    repeat(id, draw, interval, isPaused);
  }
  find("evict").addEventListener("click", evict);
  find("evict-kind").addEventListener("change", (event) => {
    find("evict-name").disabled = event.target.value === "all";
  });
}
