// As much Markdown as a model card has: headings, paragraphs, lists, tables, code, bold.

import { h, wideTable } from "./dom.js";

const DEEPEST = 6;

// Headings start below `level`, as the page has headings of its own.
export function markdown(text, level) {
  const blocks = text.split(/\n{2,}/).map((block) => block.trim()).filter(Boolean);
  return blocks.map((block) => blockOf(block, level));
}

function blockOf(block, level) {
  const lines = block.split("\n");
  const heading = /^(#+)\s+(.*)$/.exec(lines[0]);
  if (heading) {
    const depth = Math.min(level + heading[1].length - 1, DEEPEST);
    const rest = lines.slice(1).join("\n").trim();
    return [h(`h${depth}`, {}, inline(heading[2])), rest ? blockOf(rest, level) : null];
  }
  if (lines.every((line) => line.startsWith("|"))) return table(lines);
  if (lines.every((line) => /^(- |  )/.test(line))) return list(lines);
  return h("p", {}, inline(lines.join(" ")));
}

function list(lines) {
  const items = lines.reduce((all, line) => {
    if (line.startsWith("- ")) return [...all, line.slice(2)];
    return [...all.slice(0, -1), `${all.at(-1)} ${line.trim()}`];
  }, []);
  return h("ul", {}, items.map((item) => h("li", {}, inline(item))));
}

function table(lines) {
  const [head, rule, ...rows] = lines.map((line) => line.replace(/^\||\|$/g, "").split("|").map((cell) => cell.trim()));
  // Columns that Markdown aligns to the right hold figures.
  const kinds = rule.map((cell) => (cell.endsWith(":") ? "number" : null));
  return wideTable(h("table", {},
    h("thead", {}, h("tr", {}, head.map((cell, place) => h("th", { scope: "col", class: kinds[place] }, inline(cell))))),
    h("tbody", {}, rows.map((row) => h("tr", {}, row.map((cell, place) => h("td", { class: kinds[place] }, inline(cell))))))), `Table: ${head.join(", ")}`);
}

function inline(text) {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*)/).map((part) => {
    if (part.startsWith("`")) return h("code", {}, part.slice(1, -1));
    return part.startsWith("**") ? h("strong", {}, part.slice(2, -2)) : part;
  });
}
