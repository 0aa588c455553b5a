// What Python's numbers, strings and JSON do, where the published figures and files depend on it. Knows no benchmark.

/** Formats as Python's `f"{value:.{digits}f}"` does: an exact half goes to the even digit, where JavaScript takes the larger number. */
export function fixed(value: number, digits: number): string {
  const exact = Math.abs(value).toFixed(Math.min(100, digits + 60));
  const cut = exact.length - (Math.min(100, digits + 60) - digits);
  const isHalf = /^50*$/.test(exact.slice(cut).replace(".", ""));
  if (!isHalf) return value.toFixed(digits);
  const kept = exact.slice(0, cut).replace(/\.$/, "");
  const isOdd = Number(kept.at(-1)) % 2 === 1;
  const sign = value < 0 ? "-" : "";
  if (!isOdd) return sign + kept;
  return sign + nextDecimal(kept);
}

/** The decimal one unit of its last digit further from zero. */
function nextDecimal(text: string): string {
  const digits = text.replace(".", "");
  const next = (BigInt(digits) + 1n).toString().padStart(digits.length, "0");
  const places = text.includes(".") ? text.length - text.indexOf(".") - 1 : 0;
  return places === 0 ? next : `${next.slice(0, -places)}.${next.slice(-places)}`;
}

/** Python's `round(value, digits)`. */
export function round(value: number, digits: number): number {
  return Number.isFinite(value) ? Number(fixed(value, digits)) : value;
}

/** Python's `text.split()`: words between runs of its white space. */
export function words(text: string): string[] {
  return text.split(whiteSpace).filter((word) => word !== "");
}

/** JavaScript's white space without the byte order mark, and the separators that Python counts as white space, too. */
const whiteSpace = new RegExp(String.raw`(?:(?!\uFEFF)[\s\x1c-\x1f\x85])+`);

/** Python's `json.dumps(value, indent=indent)`: a space after commas and colons, ASCII only. */
export function dumps(value: unknown, indent?: number): string {
  return ascii(write(value, indent, ""));
}

function write(value: unknown, indent: number | undefined, at: string): string {
  if (typeof value !== "object" || value === null) return value === undefined ? "null" : JSON.stringify(value);
  const isList = Array.isArray(value);
  const inner = at + " ".repeat(indent ?? 0);
  const parts = isList
    ? value.map((item) => write(item, indent, inner))
    : Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${write(item, indent, inner)}`);
  const [open, close] = isList ? ["[", "]"] : ["{", "}"];
  if (parts.length === 0) return open + close;
  if (indent === undefined) return open + parts.join(", ") + close;
  return `${open}\n${inner}${parts.join(`,\n${inner}`)}\n${at}${close}`;
}

function ascii(text: string): string {
  return text.replace(/[\x7f-\uffff]/g, (unit) =>
    unit === "\x7f" ? unit : `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
