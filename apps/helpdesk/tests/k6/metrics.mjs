// The module `k6/metrics`, and what k6 makes of the samples at the end.

const samples = [];

class Metric {
  constructor(name) {
    this.name = name;
  }

  add(value, tags = {}) {
    samples.push({ metric: this.name, kind: this.constructor.name, value: Number(value), tags });
  }
}

export class Trend extends Metric {}
export class Rate extends Metric {}
export class Counter extends Metric {}

function percentile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

function values(kind, all) {
  const sum = all.reduce((total, one) => total + one, 0);
  if (kind === "Counter") return { count: sum };
  // A rate counts what is true as `passes`.
  if (kind === "Rate") return { rate: sum / all.length, passes: sum, fails: all.length - sum };
  const sorted = [...all].sort((a, b) => a - b);
  return {
    count: all.length,
    med: percentile(sorted, 0.5),
    "p(95)": percentile(sorted, 0.95),
    "p(99)": percentile(sorted, 0.99),
    max: sorted.at(-1),
  };
}

// The metrics of the summary: each whole, and the parts that a threshold names, such as
// `responses{status:429}`.
export function collected(thresholds) {
  const names = new Set([...samples.map((sample) => sample.metric), ...thresholds]);
  const result = {};
  for (const name of names) {
    const [, metric, tag, wanted] = /^([^{]+)(?:\{([^:]+):(.*)\})?$/.exec(name);
    const matches = (sample) => sample.metric === metric && (!tag || sample.tags[tag] === wanted);
    const found = samples.filter(matches);
    if (found.length) result[name] = { values: values(found[0].kind, found.map((one) => one.value)) };
  }
  return result;
}
