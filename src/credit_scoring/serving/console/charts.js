// Small pictures of figures that stand beside them in words.

import { h, place, svg } from "./dom.js";
import { count } from "./format.js";

const WIDTH = 300;
const HEIGHT = 60;

// The last values as a line; the newest at the right.
export function sparkline(values, said) {
  const top = Math.max(...values, 1e-9);
  const step = WIDTH / Math.max(values.length - 1, 1);
  const spot = (value, at) => `${(at * step).toFixed(1)},${(HEIGHT - 3 - (value / top) * (HEIGHT - 8)).toFixed(1)}`;
  const line = values.map(spot).join(" ");
  return svg("svg", { class: "spark", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": said },
    svg("polygon", { points: `0,${HEIGHT} ${line} ${((values.length - 1) * step).toFixed(1)},${HEIGHT}` }),
    svg("polyline", { points: line }));
}

// Parts of a whole beside each other, each named and counted below.
export function shares(parts, said) {
  const total = parts.reduce((sum, part) => sum + part.value, 0);
  const shown = parts.filter((part) => part.value > 0);
  const bar = h("div", { class: "shares", role: "img", "aria-label": said }, shown.map((part) =>
    h("div", { class: `share ${part.kind}`, style: { "flex-grow": part.value } })));
  const list = h("ul", { class: "legend" }, parts.map((part) => h("li", {},
    h("span", { class: `dot ${part.kind}` }), `${part.name}: ${count(part.value)}`,
    h("span", { class: "muted" }, total ? ` (${((100 * part.value) / total).toFixed(1)}%)` : ""))));
  return h("div", {}, total ? bar : null, list);
}

// Columns of a histogram: [{name, value}], named at both ends.
export function columns(bins, said) {
  const top = Math.max(...bins.map((bin) => bin.value), 1);
  const bars = bins.map((bin) => {
    const bar = h("div", { class: "column" });
    place(bar, { height: `${(100 * bin.value) / top}%` });
    return bar;
  });
  return h("div", {}, h("div", { class: "column-chart", role: "img", "aria-label": said }, bars),
    h("div", { class: "row spread small muted" }, h("span", {}, bins[0].name), h("span", {}, bins.at(-1).name)));
}
