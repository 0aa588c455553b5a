// Reads a calibration file: conversations that a model is run on to see which channels matter. LLaVA's training JSON, or lines of JSON.
// Knows no model.
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import * as v from "valibot";
import type { Message, Part } from "#engine/types.ts";

/** One conversation of a calibration file; pictures are read when it is asked for. */
export interface CalibrationEntry {
  /** "entry 3" or its id, for sentences. */
  readonly name: string;
  messages(): Promise<readonly Message[]>;
}

const image = v.optional(v.union([v.string(), v.array(v.string())]));
const Text = v.object({ text: v.string(), image });
const Turn = v.object({ from: v.picklist(["human", "gpt", "system"]), value: v.string() });
const Conversation = v.object({ conversations: v.pipe(v.array(Turn), v.minLength(1)), image });
const Entry = v.union([Text, Conversation]);
type Entry = v.InferOutput<typeof Entry>;

/** Reads a file of `[{conversations: [{from, value}], image?}]` or of lines `{text, image?}`; pictures lie beside it. */
export async function readCalibration(path: string): Promise<readonly CalibrationEntry[]> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new Error(`the calibration file ${path} can't be opened; check its path`, { cause });
  });
  const entries = parseEntries(text, path);
  if (entries.length === 0) throw new Error(`the calibration file ${path} holds no conversation`);
  const folder = dirname(resolve(path));
  return entries.map((entry, i) => ({
    name: `entry ${i + 1} of ${path}`,
    messages: () => messagesOf(entry, folder, `entry ${i + 1} of ${path}`),
  }));
}

function parseEntries(text: string, path: string): Entry[] {
  const trimmed = text.trim();
  if (trimmed.startsWith("[")) {
    const list = v.safeParse(v.array(v.unknown()), parseJson(trimmed, path));
    if (!list.success) throw new Error(`${path} is no list of conversations`);
    return list.output.map((entry, i) => checked(entry, `entry ${i + 1} of ${path}`));
  }
  return trimmed
    .split("\n")
    .map((line, i) => ({ line: line.trim(), where: `line ${i + 1} of ${path}` }))
    .filter(({ line }) => line !== "")
    .map(({ line, where }) => checked(parseJson(line, where), where));
}

function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`${where} is not JSON; a calibration file is LLaVA's training JSON, or lines of {"text": …}`, {
      cause,
    });
  }
}

function checked(entry: unknown, where: string): Entry {
  const parsed = v.safeParse(Entry, entry);
  if (parsed.success) return parsed.output;
  throw new Error(`${where} is neither {"text", "image"?} nor {"conversations": [{"from", "value"}], "image"?}`);
}

async function messagesOf(entry: Entry, folder: string, where: string): Promise<Message[]> {
  const files = typeof entry.image === "string" ? [entry.image] : (entry.image ?? []);
  const pictures = await Promise.all(
    files.map(async (file): Promise<Part> => {
      const path = resolve(folder, file);
      const bytes = await readFile(path).catch((cause: unknown) => {
        throw new Error(`${where}: the picture ${path} can't be opened`, { cause });
      });
      return { type: "image", blob: new Blob([bytes]) };
    }),
  );
  const plain = (value: string): Part => ({ type: "text", text: value.replaceAll("<image>", "").trim() });
  if ("text" in entry) return [{ role: "user", parts: [...pictures, plain(entry.text)] }];
  const roles = { human: "user", gpt: "assistant", system: "system" } as const;
  let first = true;
  return entry.conversations.map(({ from, value }) => {
    const role = roles[from];
    const shown = role === "user" && first ? pictures : [];
    if (role === "user") first = false;
    return { role, parts: [...shown, plain(value)] };
  });
}
