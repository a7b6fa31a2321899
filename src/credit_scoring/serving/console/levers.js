// The columns that decide, each with a slider or a choice beside its field.

import { h, tag } from "./dom.js";
import { field, rangeOf } from "./fields.js";
import { words } from "./format.js";

export function levers(contract, application, change) {
  const columns = contract.columns.filter((column) => ["application", "history"].includes(column.role));
  const made = columns.map((column) => lever(column, application[column.name], change));
  const first = made.filter((one) => one.column.actionable);
  const others = made.filter((one) => !one.column.actionable);
  const whole = new Map(made.map((one) => [one.column.name, one]));
  return {
    element: h("div", {},
      first.length ? h("fieldset", {}, h("legend", {}, "What the applicant can change"), h("div", { class: "levers" }, first.map((one) => one.element))) : null,
      h("details", { open: first.length === 0 }, h("summary", {}, `All other factors (${others.length})`), h("div", { class: "levers" }, others.map((one) => one.element)))),
    write: (values) => {
      for (const [name, value] of Object.entries(values)) whole.get(name)?.write(value);
    },
    complain: (errors) => {
      for (const one of made) one.complain("");
      for (const { field: name, message } of errors) whole.get(name)?.complain(message);
    },
  };
}

function lever(column, start, change) {
  const one = field(column, { compact: true });
  one.write(start);
  const slider = column.categories || !["number", "integer"].includes(column.type) ? null : sliderOf(column, start);
  const tell = () => {
    const value = one.read();
    change({ [column.name]: value === undefined && column.nullable ? null : value });
  };
  one.control.addEventListener("input", () => {
    if (slider) slider.value = one.control.value;
    tell();
  });
  slider?.addEventListener("input", () => {
    one.write(slider.value);
    tell();
  });
  const name = h("span", { class: "label" }, words(column.name), column.unit ? h("span", { class: "muted" }, ` ${column.unit}`) : null);
  const move = column.actionable ? h("p", { class: "hint" }, tag("move", column.actionable.direction === "up" ? "↑ up" : "↓ down"), ` ${column.actionable.advice}`) : null;
  return {
    column,
    element: h("div", { class: "lever" }, name, one.element, slider, move),
    write: (value) => {
      one.write(value);
      if (slider) slider.value = value;
    },
    complain: one.complain,
  };
}

// The contract's range may be a hundred times what occurs; a slider spans what is near.
function sliderOf(column, start) {
  const near = Math.max(Math.abs(start ?? 0), Math.abs(Number(column.example ?? 0)), 1) * 2;
  const nice = Math.ceil(near / 10 ** Math.floor(Math.log10(near))) * 10 ** Math.floor(Math.log10(near));
  const low = Math.max(column.minimum ?? -nice, (start ?? 0) < 0 ? -nice : 0);
  const high = Math.max(Math.min(column.maximum ?? nice, nice), low);
  const step = column.type === "integer" ? 1 : Math.max((high - low) / 200, Number.EPSILON);
  return h("input", {
    type: "range", min: low, max: high, step: column.type === "integer" || high - low < 200 ? step : Math.max(1, Math.round(step)),
    value: start ?? low, "aria-label": `${words(column.name)}, slider, accepted ${rangeOf(column)}`,
  });
}
