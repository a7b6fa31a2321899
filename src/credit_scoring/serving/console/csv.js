// CSV (RFC 4180) to rows and back.

export function parseCsv(text) {
  const rows = [];
  let row = [];
  let cell = "";
  let quoted = false;
  const source = text.replace(/^\uFEFF/, "");
  for (let at = 0; at < source.length; at += 1) {
    const mark = source[at];
    if (quoted) {
      if (mark !== '"') cell += mark;
      else if (source[at + 1] === '"') {
        cell += '"';
        at += 1;
      } else quoted = false;
    } else if (mark === '"' && cell === "") quoted = true;
    else if (mark === ",") {
      row.push(cell);
      cell = "";
    } else if (mark === "\n" || mark === "\r") {
      if (mark === "\r" && source[at + 1] === "\n") at += 1;
      rows.push([...row, cell]);
      [row, cell] = [[], ""];
    } else cell += mark;
  }
  if (quoted) throw new Error("a quotation mark is never closed");
  if (cell !== "" || row.length) rows.push([...row, cell]);
  return rows.filter((one) => one.length > 1 || one[0] !== "");
}

// A text that a spreadsheet would take for a formula gets an apostrophe before it.
const cellOf = (value) => {
  if (value === null || value === undefined) return "";
  const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

export const csvOf = (rows) => rows.map((row) => row.map(cellOf).join(",")).join("\r\n") + "\r\n";
