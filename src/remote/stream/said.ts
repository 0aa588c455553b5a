// What a server says when something goes wrong, out of whatever it says it in: errors as objects, texts, lists, FastAPI's details of
// a validation, JSON within JSON, pages of HTML. Pure; knows no codes.
import type { Said } from "#remote/errors.ts";

/** More words than these are cut, after the key was blotted out of all of them. */
export const longestSaid = 600;

/** Deeper or wider than this nobody says anything. */
const deepest = 8;
const most = 20;

/** The words and fields of an error's value; undefined when it says nothing. */
export function readSaid(value: unknown): Said | undefined {
  const words = wordsOf(value, 0);
  return words === "" ? undefined : { words, about: fieldsOf(value, 0) };
}

/** The same of a body that may be anything; its words are "" when it is empty. */
export function readSaidText(body: string): Said {
  const value = parseJson(body);
  const said = value === undefined ? undefined : readSaid(value);
  return said ?? { words: wordsOf(body, 0), about: [] };
}

/** The words as they are shown: in one line, and not too long. */
export function shorten(words: string): string {
  const line = words.replace(/\s+/g, " ").trim();
  return line.length <= longestSaid ? line : `${line.slice(0, longestSaid - 1).trimEnd()}…`;
}

/** Where the words stand, in the order in which they are put together. */
const spoken = [
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
/** What is said where no words are: `{"error":{"message":"","code":"model_not_found"}}`. */
const named = ["code", "type", "status"];

function wordsOf(value: unknown, depth: number): string {
  if (depth > deepest) return "";
  if (typeof value === "string") return wordsOfText(value, depth);
  if (Array.isArray(value))
    return join(
      value.slice(0, most).map((one) => wordsOf(one, depth + 1)),
      "; ",
    );
  if (typeof value !== "object" || value === null) return "";
  const fields: Readonly<Record<string, unknown>> = { ...value };
  const words = join(
    spoken.map((name) => (Object.hasOwn(fields, name) ? wordsOfField(name, fields[name], depth) : "")),
    ": ",
  );
  const place = Array.isArray(fields["loc"]) ? fields["loc"].filter((step) => step !== "body").join(".") : "";
  if (words !== "") return place === "" ? words : `${place}: ${words}`;
  return join(
    named.map((name) => (typeof fields[name] === "string" ? fields[name] : "")),
    " ",
  );
}

/** Lists of errors may be by field: `{"errors":{"messages":["is too long"]}}`. */
function wordsOfField(name: string, value: unknown, depth: number): string {
  const words = wordsOf(value, depth + 1);
  if (words !== "" || !/^(errors|details?)$/.test(name) || typeof value !== "object" || value === null) return words;
  const all = Object.entries(value)
    .slice(0, most)
    .map(([field, one]) => [field, wordsOf(one, depth + 2)] as const);
  return join(
    all.map(([field, one]) => (one === "" ? "" : `${field}: ${one}`)),
    "; ",
  );
}

function wordsOfText(text: string, depth: number): string {
  const value = parseJson(text);
  const inner = value === undefined ? "" : wordsOf(value, depth + 1);
  if (inner !== "") return inner;
  return (/^\s*(<!doctype|<[a-z!?])/i.test(text) ? textOfHtml(text) : text).trim();
}

/** What a page of HTML says to who reads it; each kind of error page has its sentence somewhere. */
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

/** Without what is empty or says again what another says. */
function join(all: readonly string[], between: string): string {
  const kept = all.filter((one, index) => one !== "" && all.indexOf(one) === index);
  return kept.filter((one) => !kept.some((other) => other !== one && other.includes(one))).join(between);
}

/** An object or a list, also as the one event of a stream; undefined for what is none. */
function parseJson(text: string): unknown {
  const json = /^\s*(?:event:[^\n]*\n)?data:\s*([{[][^\n]*)/.exec(text)?.[1] ?? text;
  if (!/^\s*[{[]/.test(json)) return undefined;
  try {
    return JSON.parse(json);
  } catch {
    // Words that begin with a bracket.
    return undefined;
  }
}

/** Names in `param` (OpenAI) and at the end of `loc` (FastAPI). */
function fieldsOf(value: unknown, depth: number): string[] {
  if (depth > deepest) return [];
  if (typeof value === "string") return fieldsOf(parseJson(value) ?? null, depth + 1);
  if (Array.isArray(value)) return value.slice(0, most).flatMap((one) => fieldsOf(one, depth + 1));
  if (typeof value !== "object" || value === null) return [];
  const { param, loc, ...rest }: { readonly param?: unknown; readonly loc?: unknown } = value;
  const place: unknown = Array.isArray(loc) ? loc.find((step) => step !== "body") : undefined;
  return [
    ...(typeof param === "string" ? [param] : []),
    ...(typeof place === "string" ? [place] : []),
    ...Object.values(rest).flatMap((one) => fieldsOf(one, depth + 1)),
  ];
}
