// One conversation in each of the forms that people train with: LLaVA's, ShareGPT's, OpenAI's messages. Pure.
import { isObject, pictureKeys } from "#samples/picture-refs.ts";
import { toParts } from "#samples/pieces.ts";
import { listKeys, speakerKeys, systemKeys, turnsOf, wordKeys } from "#samples/read-sample.ts";
import type { Piece, PictureRef, Sample } from "#samples/sample.ts";

export const formNames = ["llava", "sharegpt", "openai"] as const;
type Form = (typeof formNames)[number];

type Fields = Readonly<Record<string, unknown>>;

/** What a form's turns are called by: `from` (LLaVA, ShareGPT), `role` (OpenAI), or no turns but a text. */
export function familyOf(json: unknown): "from" | "role" | "text" {
  const first = turnsOf(json)?.list.find(isObject);
  if (first === undefined) return "text";
  return Object.hasOwn(first, "role") && !Object.hasOwn(first, "from") ? "role" : "from";
}

/** The fields beside turns, pictures and system prompt, with the id first where there is one; a batch's custom_id is one. */
export function otherFields(json: unknown): Fields {
  const about = turnsOf(json)?.about ?? (isObject(json) ? json : {});
  const known = new Set([...listKeys, ...pictureKeys, ...systemKeys, ...(turnsOf(json) === undefined ? ["text"] : [])]);
  const rest = Object.entries(about).filter(([key]) => !known.has(key) && key !== "id");
  const id = about["id"] ?? (isObject(json) ? json["custom_id"] : undefined);
  return Object.fromEntries([...(id === undefined ? [] : [["id", id] as const]), ...rest]);
}

/** How many fields of single turns no form holds: names, weights, tool calls. */
export function lostTurnFields(json: unknown): number {
  const known = new Set([...speakerKeys, ...wordKeys, ...pictureKeys]);
  const turns = (turnsOf(json)?.list ?? []).filter(isObject);
  return turns.reduce(
    (sum, turn) => sum + Object.entries(turn).filter(([key, value]) => !known.has(key) && value !== null).length,
    0,
  );
}

/** The conversation in a form; `nameOf` is what a picture is called there. */
export function toForm(form: Form, sample: Sample, fields: Fields, nameOf: (ref: PictureRef) => string): object {
  const images = sample.turns.flatMap((turn) => (turn.role === "user" ? turn.pictures : [])).map(nameOf);
  const { id, ...others } = fields;
  const named = id === undefined ? {} : { id };
  const { system } = sample;
  switch (form) {
    case "llava": {
      const image = images.length === 0 ? {} : { image: images.length === 1 ? images[0] : images };
      return { ...named, ...image, ...others, ...(system === "" ? {} : { system }), conversations: fromTurns(sample) };
    }
    case "sharegpt": {
      const first = system === "" ? [] : [{ from: "system", value: system }];
      return { ...named, ...(images.length === 0 ? {} : { images }), ...others, conversations: [...first, ...fromTurns(sample)] }; // prettier-ignore
    }
    case "openai":
      return { ...named, ...others, messages: messagesOf(sample, nameOf) };
  }
}

function fromTurns({ turns }: Sample): object[] {
  return turns.map((turn) =>
    turn.role === "user"
      ? { from: "human", value: turn.pieces.map((piece) => (typeof piece === "string" ? piece : "<image>")).join("") }
      : { from: "gpt", value: turn.text },
  );
}

function messagesOf({ system, turns }: Sample, nameOf: (ref: PictureRef) => string): object[] {
  const part = (piece: Piece): object =>
    typeof piece === "string"
      ? { type: "text", text: piece }
      : { type: "image_url", image_url: { url: nameOf(piece) } };
  const said = turns.map((turn) => {
    if (turn.role === "assistant") return { role: "assistant", content: turn.text };
    const content =
      turn.pictures.length === 0
        ? turn.pieces.filter((piece) => typeof piece === "string").join("")
        : toParts(turn.pieces).map(part);
    return { role: "user", content };
  });
  return [...(system === "" ? [] : [{ role: "system", content: system }]), ...said];
}
