// Numbers and names as people read them.

const NONE = "none";
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const plain = new Intl.NumberFormat("en", { maximumFractionDigits: 4 });
const tenth = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });

export const count = (value) => (value === null || value === undefined ? NONE : whole.format(value));
export const number = (value) => (value === null || value === undefined ? NONE : plain.format(value));
export const score = (value) => (value === null || value === undefined ? NONE : tenth.format(value));
export const percent = (value) => (value === null || value === undefined ? NONE : `${tenth.format(value * 100)}%`);

export function points(value) {
  if (value === null || value === undefined) return "a rule";
  const rounded = Math.round(value * 10) / 10;
  return rounded > 0 ? `+${tenth.format(rounded)}` : tenth.format(rounded).replace("-", "−").replace("−0.0", "0.0");
}

export function figure(value) {
  if (value === null || value === undefined) return NONE;
  return Number.isInteger(value) ? whole.format(value) : Number(value).toPrecision(3);
}

export function duration(seconds) {
  if (seconds === null || !Number.isFinite(seconds)) return NONE;
  return seconds < 1 ? `${Number((seconds * 1000).toPrecision(2))} ms` : `${tenth.format(seconds)} s`;
}

// In the reader's own time zone, which is named.
const clock = new Intl.DateTimeFormat("en-GB", {
  day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short",
});

export const time = (text) => (text ? clock.format(new Date(text)) : NONE);

export function withUnit(value, unit) {
  if (value === null || value === undefined) return NONE;
  return unit ? `${number(value)} ${unit}` : number(value);
}

// repayment_status_1 -> Repayment status 1
export function words(name) {
  const spaced = name.replaceAll("_", " ").toLowerCase();
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

// The unit stands beside the name: age_years -> Age
export function nameOf({ name, unit }) {
  return words(unit && name.endsWith(`_${unit}`) ? name.slice(0, -unit.length - 1) : name);
}

// A reason that the service gives begins small, as in its logs.
export const sentence = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;

export const decided = { approve: "Approved", refer: "Referred to a person", decline: "Declined" };
