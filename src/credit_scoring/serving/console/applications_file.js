// A file of applications, CSV or JSON, as requests; columns by their own or the file's name.

import { parseCsv } from "./csv.js";

const NUMBER = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/;

// Gives {applications, ignored}; throws an Error that says what is wrong with the file.
export function readApplications(text, contract) {
  const start = text.replace(/^\uFEFF/, "").trimStart();
  if (start === "") throw new Error("the file is empty");
  return start.startsWith("[") || start.startsWith("{") ? fromJson(start) : fromCsv(text, contract);
}

function fromJson(text) {
  const lines = text.startsWith("{") ? text.split("\n").filter((line) => line.trim()) : null;
  try {
    const applications = lines ? lines.map((line) => JSON.parse(line)) : JSON.parse(text);
    return { applications, ignored: [] };
  } catch {
    throw new Error("the file is neither a JSON array nor one JSON object on each line");
  }
}

function fromCsv(text, contract) {
  const [head, ...rows] = parseCsv(text);
  const known = new Map(contract.columns.flatMap((column) => [[column.source, column], [column.name, column]]));
  const columns = head.map((name) => known.get(name.trim()));
  if (!columns.some((column) => column?.role === "id")) {
    throw new Error("no column of the first line is the identifier of an application");
  }
  if (rows.length === 0) throw new Error("the file has a first line and no row");
  const applications = rows.map((row) => {
    const application = {};
    columns.forEach((column, place) => {
      const value = column && valueOf(column, row[place] ?? "");
      if (value !== undefined) application[column.name] = value;
    });
    return application;
  });
  return { applications, ignored: head.filter((_, place) => !columns[place]) };
}

function valueOf(column, text) {
  const given = text.trim();
  if (given === "") return column.nullable ? null : undefined;
  if (column.type === "string" || column.type === "date") return given;
  return NUMBER.test(given) ? Number(given) : given;
}
