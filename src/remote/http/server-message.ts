// Extracts a server's error message from whatever it comes in: an error object, a text, a list, FastAPI's validation details, JSON within
// JSON, an HTML page. Pure; knows no error codes.
import { parseJson } from "#formats/json.ts";
import type { ServerMessage } from "./errors.ts";

/** In characters. */
const longestMessage = 600;

/** Limits of the search in a value: nesting depth, and entries per list or object. */
const maxDepth = 8;
const maxEntries = 20;

/** The message in an error's JSON value; undefined when there is none. */
export function readMessage(value: unknown): ServerMessage | undefined {
  const text = textOf(value, 0);
  return text === "" ? undefined : { text, fields: fieldsOf(value, 0) };
}

/** The message in a body of any kind; its text is "" when the body is empty. */
export function readMessageText(body: string): ServerMessage {
  const value = parseAnswer(body);
  const message = value === undefined ? undefined : readMessage(value);
  return message ?? { text: textOf(body, 0), fields: [] };
}

/** The text in one line, cut where it is too long. Redact the key first: part of it would not be recognized after the cut. */
export function shorten(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length <= longestMessage ? line : `${line.slice(0, longestMessage - 1).trimEnd()}…`;
}

/** The fields that hold text, in the order in which their texts are joined. */
const textFields = [
  "error",
  "title",
  "message",
  "msg",
  "detail",
  "details",
  "errors",
  "error_description",
  "error_message",
  "description",
  "reason",
  "metadata",
  "raw",
];
/** Used where no field holds text: `{"error":{"message":"","code":"model_not_found"}}`. */
const codeFields = ["code", "type", "status"];

function textOf(value: unknown, depth: number): string {
  if (depth > maxDepth) return "";
  if (typeof value === "string") return textOfString(value, depth);
  if (Array.isArray(value))
    return join(
      value.slice(0, maxEntries).map((one) => textOf(one, depth + 1)),
      "; ",
    );
  if (typeof value !== "object" || value === null) return "";
  const fields: Readonly<Record<string, unknown>> = { ...value };
  const text = join(
    textFields.map((name) => (Object.hasOwn(fields, name) ? textOfField(name, fields[name], depth) : "")),
    ": ",
  );
  const place = Array.isArray(fields["loc"]) ? fields["loc"].filter((step) => step !== "body").join(".") : "";
  if (text !== "") return place === "" ? text : `${place}: ${text}`;
  return join(
    codeFields.map((name) => (typeof fields[name] === "string" ? fields[name] : "")),
    " ",
  );
}

/** Errors may be grouped by field: `{"errors":{"messages":["is too long"]}}`. */
function textOfField(name: string, value: unknown, depth: number): string {
  const text = textOf(value, depth + 1);
  if (text !== "" || !/^(errors|details?)$/.test(name) || typeof value !== "object" || value === null) return text;
  const all = Object.entries(value)
    .slice(0, maxEntries)
    .map(([field, one]) => [field, textOf(one, depth + 2)] as const);
  return join(
    all.map(([field, one]) => (one === "" ? "" : `${field}: ${one}`)),
    "; ",
  );
}

function textOfString(text: string, depth: number): string {
  const value = parseAnswer(text);
  const inner = value === undefined ? "" : textOf(value, depth + 1);
  if (inner !== "") return inner;
  return (/^\s*(<!doctype|<[a-z!?])/i.test(text) ? textOfHtml(text) : text).trim();
}

/** The visible text of an HTML page; every kind of error page has its message somewhere in it. */
function textOfHtml(html: string): string {
  return html
    .slice(0, 50_000)
    .replace(/<(script|style|svg|template)\b[^]*?(<\/\1\s*>|$)/gi, " ")
    .replace(/<!--[^]*?(-->|$)/g, " ")
    .replace(/<[^<>]*>/g, " ")
    .replace(/&nbsp;/g, " ")
    .replace(/&lt;/g, "<")
    .replace(/&gt;/g, ">")
    .replace(/&quot;/g, '"')
    .replace(/&#0*39;|&apos;/g, "'")
    .replace(/&amp;/g, "&")
    .replace(/\s+/g, " ");
}

/** Joins the texts, leaving out those that are empty, repeated, or part of another. */
function join(all: readonly string[], separator: string): string {
  const distinct = all.filter((one, index) => one !== "" && all.indexOf(one) === index);
  return distinct.filter((one) => !distinct.some((other) => other !== one && other.includes(one))).join(separator);
}

/** An object or a list, also as the one event of a stream; undefined for anything else, such as words that begin with a bracket. */
function parseAnswer(text: string): unknown {
  const json = /^\s*(?:event:[^\n]*\n)?data:\s*([{[][^\n]*)/.exec(text)?.[1] ?? text;
  return /^\s*[{[]/.test(json) ? parseJson(json) : undefined;
}

/** The request's fields named by `param` (OpenAI) and `loc` (FastAPI). */
function fieldsOf(value: unknown, depth: number): string[] {
  if (depth > maxDepth) return [];
  if (typeof value === "string") return fieldsOf(parseAnswer(value) ?? null, depth + 1);
  if (Array.isArray(value)) return value.slice(0, maxEntries).flatMap((one) => fieldsOf(one, depth + 1));
  if (typeof value !== "object" || value === null) return [];
  const { param, loc, ...rest }: { readonly param?: unknown; readonly loc?: unknown } = value;
  const place: unknown = Array.isArray(loc) ? loc.find((step) => step !== "body") : undefined;
  return [
    ...(typeof param === "string" ? [param] : []),
    ...(typeof place === "string" ? [place] : []),
    ...Object.values(rest).flatMap((one) => fieldsOf(one, depth + 1)),
  ];
}
