// Runs a k6 script in Node: `node run.mjs <folder of k6.js>`. k6 is no package of npm, so its modules
// are replaced by those in this folder, which send real requests. One virtual user runs the journeys
// one after another.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { collected } from "./metrics.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const folder = process.argv[2];
globalThis.__ENV = process.env;
globalThis.open = (path) => readFileSync(join(folder, path), "utf8");

const shims = { '"k6"': "k6.mjs", '"k6/http"': "http.mjs", '"k6/metrics"': "metrics.mjs" };
let source = readFileSync(join(folder, "k6.js"), "utf8");
for (const [name, file] of Object.entries(shims)) {
  if (!source.includes(`from ${name}`)) throw new Error(`the script does not import ${name}`);
  source = source.replace(`from ${name}`, `from "${pathToFileURL(join(here, file))}"`);
}
const copy = mkdtempSync(join(folder, "node-"));
writeFileSync(join(copy, "k6.mjs"), source);
const script = await import(pathToFileURL(join(copy, "k6.mjs")));
rmSync(copy, { recursive: true });

const [scenario] = Object.values(script.options.scenarios);
if (scenario.executor !== "constant-arrival-rate") throw new Error(`the executor is ${scenario.executor}`);
const every = (parseFloat(scenario.timeUnit) * 1000) / scenario.rate;
const end = Date.now() + parseFloat(scenario.duration) * 1000;
// k6 copies the data of the set-up to each virtual user, as JSON.
const data = JSON.parse(JSON.stringify(script.setup()));
let iterations = 0;
for (let next = Date.now(); next < end; next += every) {
  while (Date.now() < next) await new Promise((done) => setTimeout(done, 1));
  script[scenario.exec](data);
  iterations += 1;
}
const metrics = collected(Object.keys(script.options.thresholds));
for (const [path, text] of Object.entries(script.handleSummary({ metrics }))) {
  if (path === "stdout") process.stdout.write(text);
  else writeFileSync(path, text);
}
console.log(`${iterations} journeys`);
process.exit(0);
