// The text format of Prometheus, and what can be read off its counters and histograms.

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;

export function parseMetrics(text) {
  const samples = [];
  for (const line of text.split("\n")) {
    const found = line.startsWith("#") ? null : LINE.exec(line);
    if (!found) continue;
    const labels = {};
    for (const [, name, value] of (found[2] ?? "").matchAll(LABEL)) labels[name] = value;
    samples.push({ name: found[1], labels, value: Number(found[3].replace("+Inf", "Infinity")) });
  }
  return samples;
}

const matching = (samples, name, labels) => samples.filter((one) =>
  one.name === name && Object.entries(labels).every(([label, value]) => one.labels[label] === value));

export const sum = (samples, name, labels = {}) =>
  matching(samples, name, labels).reduce((total, one) => total + one.value, 0);

// label's value -> sum over all other labels
export function byLabel(samples, name, label, labels = {}) {
  const totals = {};
  for (const one of matching(samples, name, labels)) {
    const value = one.labels[label] ?? "";
    totals[value] = (totals[value] ?? 0) + one.value;
  }
  return totals;
}

// [upper bound, how many in the bucket], in order
export function buckets(samples, name, labels = {}) {
  const cumulated = new Map();
  for (const one of matching(samples, `${name}_bucket`, labels)) {
    const bound = one.labels.le === "+Inf" ? Infinity : Number(one.labels.le);
    cumulated.set(bound, (cumulated.get(bound) ?? 0) + one.value);
  }
  const bounds = [...cumulated.keys()].sort((a, b) => a - b);
  return bounds.map((bound, place) => [bound, cumulated.get(bound) - (place ? cumulated.get(bounds[place - 1]) : 0)]);
}

// The quantile as Prometheus estimates it: straight within its bucket; null without any.
export function quantile(counts, share) {
  const total = counts.reduce((all, [, times]) => all + times, 0);
  if (total === 0) return null;
  let below = 0;
  let low = 0;
  for (const [bound, times] of counts) {
    if (times > 0 && below + times >= share * total) {
      return Number.isFinite(bound) ? low + ((bound - low) * (share * total - below)) / times : low;
    }
    below += times;
    low = bound;
  }
  return low;
}
