// Reads one conversation from a parsed JSON value in any of the common formats: LLaVA ({image, conversations: [{from, value}]}), ShareGPT and its
// relatives, OpenAI's messages with parts, or a text alone. Nothing is fetched and nothing is lost without being counted.
import { sampleLimits } from "./limits.ts";
import { isObject, picturesBeside, readPictures, takeNamedInText, type FoundPictures } from "./picture-refs.ts";
import { fillPlaces, joinParts, splitAtMarks, type Placed } from "./pieces.ts";
import type { Loss, PictureRef, Sample, SampleProblem, SampleTurn } from "./sample.ts";

const speakers: Readonly<Record<"user" | "assistant" | "system", readonly string[]>> = {
  user: ["human", "user", "person", "prompter", "usr"],
  assistant: ["gpt", "assistant", "chatgpt", "bing", "bard", "model", "bot", "ai", "claude", "gemini", "llava"],
  system: ["system", "developer"],
};
type Role = keyof typeof speakers;
const roles = new Map<string, Role>(
  Object.entries(speakers).flatMap(([role, names]) => names.map((name) => [name, role as Role] as const)),
);

export const listKeys = ["conversations", "conversation", "messages", "items", "dialogue", "dialog"];
export const speakerKeys = ["from", "role", "speaker"];
export const wordKeys = ["value", "content", "text", "markdown", "parts"];
export const systemKeys = ["system", "system_prompt"];

/** A place for a picture in a text. */
const mark = /<image(?:[ _]?\d{1,3})?>|<\|image(?:_\d{1,3})?\|>/gi;

/** The text with nothing left in it that a reader would take for a picture. */
export const withoutMarks = (text: string): string =>
  text.replace(mark, (found) => `${found.slice(0, 1)} ${found.slice(1, -1)} >`);

/** How many places for pictures a text marks. */
export const marksIn = (text: string): number => text.match(mark)?.length ?? 0;

type Fields = Readonly<Record<string, unknown>>;

function firstOf(object: Fields, keys: readonly string[]): unknown {
  const key = keys.find((name) => Object.hasOwn(object, name) && object[name] !== null && object[name] !== undefined);
  return key === undefined ? undefined : object[key];
}

/** Whether a value is one turn of a conversation by itself. */
export function isMessage(value: unknown): boolean {
  return isObject(value) && typeof firstOf(value, speakerKeys) === "string" && turnsOf(value) === undefined;
}

/** The list of turns in a value, with the object around it that has the other fields. */
export function turnsOf(value: unknown): { readonly list: readonly unknown[]; readonly about: Fields } | undefined {
  if (Array.isArray(value)) return value.some(isMessage) ? { list: value, about: {} } : undefined;
  if (!isObject(value)) return undefined;
  for (const key of listKeys) {
    const list = Object.hasOwn(value, key) ? value[key] : undefined;
    if (Array.isArray(list) && (list.length === 0 || !list.every(holdsTurns))) return { list, about: value };
  }
  // A request to a server, as batches keep them.
  const body = Object.hasOwn(value, "body") ? value["body"] : undefined;
  return isObject(body) && Array.isArray(body["messages"]) ? { list: body["messages"], about: body } : undefined;
}

/** The first speaker of a conversation who is neither user, assistant nor system. */
export function unknownSpeaker(value: unknown): string | undefined {
  const speakersOf = (turnsOf(value)?.list ?? []).map((turn) =>
    isObject(turn) ? firstOf(turn, speakerKeys) : undefined,
  );
  return speakersOf.find((name) => typeof name === "string" && !roles.has(name.trim().toLowerCase())) as
    string | undefined;
}

const holdsTurns = (value: unknown): boolean =>
  isObject(value) && listKeys.some((key) => Object.hasOwn(value, key) && Array.isArray(value[key]));

const isText = (value: unknown): value is Fields & { readonly text: string } =>
  isObject(value) && typeof value["text"] === "string" && firstOf(value, speakerKeys) === undefined;

/** Whether a value looks like a conversation at all. */
export const looksLikeSample = (value: unknown): boolean => turnsOf(value) !== undefined || isText(value);

/** The conversations in an object that is none itself: `{"data": [...]}`, or one per key. */
export function wrappedSamples(value: unknown): readonly unknown[] | undefined {
  if (!isObject(value) || looksLikeSample(value)) return undefined;
  const inside = Object.values(value).flatMap((one) => (Array.isArray(one) ? (one as unknown[]) : [one]));
  return inside.some(looksLikeSample) ? inside.filter((one) => isObject(one) || Array.isArray(one)) : undefined;
}

/** One conversation, or why it can't be read. */
export function readSample(value: unknown): Sample | SampleProblem {
  const found = turnsOf(value);
  if (found === undefined) return isText(value) ? textSample(value) : "not-a-conversation";
  const { list, about } = found;
  if (list.length > sampleLimits.turns) return "too-many-turns";
  const lost = new Map<Loss, number>();
  const lose = (loss: Loss, count = 1): void => {
    if (count > 0) lost.set(loss, (lost.get(loss) ?? 0) + count);
  };
  const said: Said[] = [];
  const field = firstOf(about, systemKeys);
  let system = typeof field === "string" ? field.trim() : "";
  if (system.length > sampleLimits.textLength) return "text-too-long";
  for (const entry of list) {
    const turn = readTurn(entry);
    if (typeof turn === "string") return turn;
    const { role } = turn;
    if (role === "system") {
      const text = turn.text.trim();
      if (text === "") continue;
      if (said.length > 0) lose("late-system");
      else if (text !== system) system = system === "" ? text : `${system}\n\n${text}`;
      continue;
    }
    lose("media", turn.media);
    if (role === "assistant" && said.length === 0) {
      lose("early-answer");
      continue;
    }
    const last = said.at(-1);
    if (last?.role !== role) said.push({ ...turn, role });
    // OpenAI's protocol allows several user messages in a row; LLaVA's data does not.
    else if (role === "user" && turn.isOpenAi) said[said.length - 1] = bothOf(last, { ...turn, role });
    else return "not-alternating";
  }
  if (said.length === 0) return "no-turns";
  const beside = picturesBeside(about);
  lose("picture", beside.unreadable);
  return { system, ...placePictures(said, beside, lose), lost };
}

interface Said {
  readonly role: "user" | "assistant";
  readonly text: string;
  /** In the turn itself. */
  readonly pictures: readonly PictureRef[];
  /** Text, pictures and places for pictures in their order; pictures that are named beside the text are not in it. */
  readonly placed: readonly Placed[];
  /** Places for pictures that are named elsewhere. */
  readonly marks: number;
  /** Pictures that are named in no way we know. */
  readonly unreadable: number;
}
type ReadTurn = Omit<Said, "role"> & { readonly role: Role; readonly media: number; readonly isOpenAi: boolean };

function bothOf(first: Said, second: Said): Said {
  return {
    role: first.role,
    text: [first.text.trim(), second.text.trim()].filter((text) => text !== "").join("\n\n"),
    pictures: [...first.pictures, ...second.pictures],
    placed: [...first.placed, "\n\n", ...second.placed],
    marks: first.marks + second.marks,
    unreadable: first.unreadable + second.unreadable,
  };
}

function textSample(value: Fields & { readonly text: string }): Sample | SampleProblem {
  const turn = readTurn({ from: "user", value: value.text });
  if (typeof turn === "string") return turn;
  const beside = picturesBeside(value);
  if (turn.text.trim() === "" && beside.refs.length === 0) return "no-turns";
  const lost = new Map<Loss, number>();
  const lose = (loss: Loss, count: number): void => {
    if (count > 0) lost.set(loss, (lost.get(loss) ?? 0) + count);
  };
  lose("picture", beside.unreadable);
  const { turns } = placePictures([{ ...turn, role: "user" }], beside, lose);
  return { system: "", turns, lost, unplaced: 0 };
}

function readTurn(entry: unknown): ReadTurn | SampleProblem {
  if (!isObject(entry)) return "not-a-conversation";
  const speaker = firstOf(entry, speakerKeys);
  if (typeof speaker !== "string") return "not-a-conversation";
  const role = roles.get(speaker.trim().toLowerCase());
  if (role === undefined) return "unknown-speaker";
  const words = readWords(firstOf(entry, wordKeys));
  if (words === undefined) return "not-a-conversation";
  if (words.text.length > sampleLimits.textLength) return "text-too-long";
  const beside = picturesBeside(entry);
  const named = role === "user" ? takeNamedInText(words.text) : { text: words.text, refs: [] };
  const places = role === "user" ? marksIn(named.text) : 0;
  return {
    role,
    text: role === "user" ? named.text.replace(mark, "") : named.text,
    pictures: [...named.refs, ...words.pictures, ...beside.refs].slice(0, sampleLimits.pictures),
    placed: role === "user" ? placedOf(words, named) : [],
    marks: places + words.marks,
    unreadable: words.unreadable + beside.unreadable,
    media: words.media,
    isOpenAi: Object.hasOwn(entry, "role"),
  };
}

/** With the pictures that Qwen-VL's data names within the text before it, as they are read. */
function placedOf(words: Words, named: { readonly text: string; readonly refs: readonly PictureRef[] }): Placed[] {
  const parts = named.refs.length === 0 ? words.parts : [...named.refs, named.text];
  return splitAtMarks(joinParts(parts), mark);
}

interface Words {
  readonly text: string;
  /** The same with pictures, and null for a place of one that is named elsewhere. */
  readonly parts: readonly Placed[];
  readonly pictures: readonly PictureRef[];
  readonly marks: number;
  readonly unreadable: number;
  readonly media: number;
}
const onlyText = (text: string): Words => ({ text, parts: [text], pictures: [], marks: 0, unreadable: 0, media: 0 });

/** A text, or parts of text and pictures; undefined for what is neither. */
function readWords(content: unknown): Words | undefined {
  if (content === undefined || content === null) return onlyText("");
  if (typeof content === "string") return onlyText(content);
  if (typeof content === "number" || typeof content === "boolean") return onlyText(String(content));
  const parts: readonly unknown[] | undefined = Array.isArray(content)
    ? content
    : isObject(content)
      ? Array.isArray(content["parts"])
        ? content["parts"]
        : [content]
      : undefined;
  if (parts === undefined) return undefined;
  const texts: string[] = [];
  const placed: Placed[] = [];
  const pictures: PictureRef[] = [];
  const say = (text: string): void => {
    texts.push(text);
    placed.push(text);
  };
  let marks = 0;
  let unreadable = 0;
  let media = 0;
  for (const part of parts) {
    if (typeof part === "string") say(part);
    else if (!isObject(part)) return undefined;
    else {
      const type = typeof part["type"] === "string" ? part["type"] : "";
      const text = part["text"] ?? (/text$|^refusal$/.test(type) ? (part["content"] ?? part["refusal"]) : undefined);
      if (typeof text === "string") say(text);
      else if (
        /image/.test(type) ||
        (type === "" && firstOf(part, ["image", "image_url", "inline_data"]) !== undefined)
      ) {
        const found = readPictures(firstOf(part, ["image_url", "image", "source", "url", "path", "inline_data"]));
        const isPlace = found.refs.length === 0 && found.unreadable === 0;
        pictures.push(...found.refs);
        placed.push(...(isPlace ? [null] : found.refs));
        unreadable += found.unreadable;
        if (isPlace) marks++;
      } else media++;
    }
  }
  const text = texts.filter((one) => one !== "").join("\n");
  return { text, parts: placed, pictures, marks, unreadable, media };
}

/** Gives every place its picture, in order; what no question has a place for belongs to the first one. */
function placePictures(
  said: readonly Said[],
  { refs: beside, unreadable: unreadableBeside }: FoundPictures,
  lose: (loss: Loss, count: number) => void,
): Pick<Sample, "turns" | "unplaced"> {
  const needs = said.map(({ marks, pictures }) => Math.max(0, marks - pictures.length));
  let spare = Math.max(
    0,
    beside.length - needs.reduce((sum, need, turn) => sum + (said[turn]?.role === "user" ? need : 0), 0),
  );
  const unplaced = spare;
  let taken = 0;
  /** Problems that are already reported. */
  let excused = unreadableBeside;
  const turns = said.map(({ role, text, pictures, placed, unreadable }, turn): SampleTurn => {
    if (role === "assistant") {
      lose("picture", pictures.length);
      return { role, text };
    }
    const need = (needs[turn] ?? 0) + spare;
    spare = 0;
    const given = beside.slice(taken, taken + need);
    taken += given.length;
    const empty = Math.max(0, need - given.length - unreadable);
    lose("mark", Math.max(0, empty - excused));
    excused = Math.max(0, excused - empty);
    lose("picture", unreadable);
    const all = [...pictures, ...given];
    return { role, text: text.trim(), pictures: all, pieces: fillPlaces(placed, all, text.trim()) };
  });
  return { turns, unplaced };
}
