// Reads the Prometheus text format.

const LINE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/g;
const ESCAPES = { n: "\n", "\\": "\\", '"': '"' };

// A map from the name of a metric to its samples.
export function parse(text) {
  const metrics = new Map();
  for (const line of text.split("\n")) {
    const match = line.startsWith("#") ? null : LINE.exec(line);
    if (!match) continue;
    const labels = {};
    for (const [, name, value] of (match[2] ?? "").matchAll(LABEL)) {
      labels[name] = value.replace(/\\(.)/g, (_, escaped) => ESCAPES[escaped] ?? escaped);
    }
    const samples = metrics.get(match[1]) ?? [];
    samples.push({ labels, value: Number(match[3]) });
    metrics.set(match[1], samples);
  }
  return metrics;
}

const has = (labels, wanted) => Object.entries(wanted).every(([name, value]) => labels[name] === value);

// The sum of the samples with these labels.
export function total(metrics, name, wanted = {}) {
  const samples = (metrics.get(name) ?? []).filter(({ labels }) => has(labels, wanted));
  return samples.reduce((sum, { value }) => sum + value, 0);
}

// The upper bound of the bucket that the quantile is in; null without observations, or above all
// bounds.
export function quantile(metrics, name, wanted, share) {
  const buckets = (metrics.get(`${name}_bucket`) ?? []).filter(({ labels }) => has(labels, wanted));
  const bounds = buckets.map(({ labels, value }) => [Number(labels.le.replace("+Inf", "Infinity")), value]);
  bounds.sort(([a], [b]) => a - b);
  const all = bounds.at(-1)?.[1] ?? 0;
  const found = all > 0 ? bounds.find(([, count]) => count >= all * share) : undefined;
  return found && Number.isFinite(found[0]) ? found[0] : null;
}
