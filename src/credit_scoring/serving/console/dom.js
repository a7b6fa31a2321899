// Elements from code: text never becomes markup, and styles never stand in attributes.

export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") place(element, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

// The policy of the page forbids style attributes; properties of an element it allows.
export function place(element, properties) {
  for (const [name, value] of Object.entries(properties)) element.style.setProperty(name, value);
}

let count = 0;
export const freshId = (stem) => `${stem}-${(count += 1)}`;

export const tag = (word, text = word) => h("span", { class: `tag ${word}` }, text);

export function facts(pairs) {
  const shown = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return h("dl", { class: "facts" }, shown.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
}

export function figures(pairs) {
  return h("dl", { class: "figures" }, pairs.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

export function notice(kind, ...children) {
  return h("div", { class: `notice ${kind}` }, h("p", {}, ...children));
}

export function empty(title, text) {
  return h("div", { class: "card empty" }, h("h2", {}, title), h("p", {}, text));
}

// A table that may be wider than the screen can be scrolled by keyboard, too.
export function wideTable(table, name) {
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": name }, table);
}
