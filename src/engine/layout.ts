// A conversation as the decoder's rows: the template's text in tokens, and each picture's place among them, widened to its rows.
// Knows no features and runs nothing.
import { EngineError } from "./errors.ts";
import { commonPrefix } from "#engine/decoder/kv-cache.ts";
import type { Model } from "#engine/model/model.ts";
import type { Picture, PictureClock } from "./encode-picture.ts";
import type { Pictures } from "./pictures.ts";
import { imageSlot, renderPrompt, type Prompt } from "#engine/text/prompt.ts";
import type { GenerateRequest } from "./types.ts";

/** Rows of a picture in the prompt, from its row `first` on, and where they begin among the slots. Most pictures are one such run. */
export interface PlacedImage {
  readonly picture: Picture;
  readonly start: number;
  readonly first: number;
  readonly rows: number;
}

/** The text with each picture's spelling in the place of its image token. */
export function spellPictures(text: string, pictures: readonly Picture[]): string {
  if (pictures.every(({ spelling }) => spelling === undefined)) return text;
  const [start = "", ...rest] = text.split(imageSlot);
  return rest.reduce((spelled, part, i) => spelled + (pictures[i]?.spelling ?? imageSlot) + part, start);
}

/** Token ids with each image token widened to its share of its picture's rows, which all get the picture's number. */
export function placePictures(
  ids: readonly number[],
  imageTokenId: number,
  pictures: readonly Picture[],
  numberOf: (key: string) => number,
): { readonly slots: number[]; readonly placed: PlacedImage[] } {
  const slots: number[] = [];
  const placed: PlacedImage[] = [];
  let [at, first] = [0, 0]; // the picture whose turn it is, and its next row
  for (const id of ids) {
    if (id !== imageTokenId) {
      slots.push(id);
      continue;
    }
    const picture = pictures[at];
    if (!picture) throw new EngineError("bad-input", "the prompt has more image slots than pictures");
    const rows = picture.rows / (picture.tiles ?? 1);
    placed.push({ picture, start: slots.length, first, rows });
    for (let i = 0; i < rows; i++) slots.push(numberOf(picture.key));
    first += rows;
    if (first === picture.rows) [at, first] = [at + 1, 0];
  }
  if (at !== pictures.length) {
    throw new EngineError("bad-package", "the conversation template drops pictures");
  }
  return { slots, placed };
}

/** A prompt as the decoder sees it. */
export interface Layout {
  readonly prompt: Prompt;
  /** The prompt's pictures in order. */
  readonly shown: readonly Picture[];
  /** One number per row of the decoder: a token's id, or the negative number of the picture whose row it is. */
  readonly slots: readonly number[];
  readonly placed: readonly PlacedImage[];
  /** Leading slots that the cache has already. */
  readonly held: number;
}

export interface LayoutOptions {
  readonly model: Pick<Model, "config" | "tokenizer">;
  readonly template: string;
  readonly contextLength: number;
  readonly pictures: Pictures;
}

/**
 * A function that lays requests out, given the slots that the cache holds. Throws "context-full" where the prompt leaves no room for an answer.
 * The same picture has the same number in every layout.
 */
export function createLayout({
  model: { config, tokenizer },
  template,
  contextLength,
  pictures,
}: LayoutOptions): (request: GenerateRequest, cached: readonly number[], clock: PictureClock) => Promise<Layout> {
  const slotNumbers = new Map<string, number>(); // by the picture's key
  const slotNumberOf = (key: string): number => {
    const number = slotNumbers.get(key) ?? -1 - slotNumbers.size;
    slotNumbers.set(key, number);
    return number;
  };
  let tokenized: { readonly text: string; readonly ids: readonly number[] } | undefined;

  return async (request, cached, clock) => {
    const prompt = renderPrompt(request.messages, {
      template,
      chatTemplate: config.chatTemplate,
      bosToken: config.bosToken,
      eosToken: config.eosToken,
      imageMarks: config.imageMarks,
      defuse: (text) => tokenizer.defuse(text),
    });
    const { imageMode = "auto", detail = "auto" } = request;
    const shown = await pictures.measure(prompt.images, { mode: imageMode, detail }, clock);
    const text = spellPictures(prompt.text, shown);
    // A question that was prepared, and an answer that is given anew, have the same text as the request before.
    if (text !== tokenized?.text) tokenized = { text, ids: tokenizer.encode(text) };
    const { slots, placed } = placePictures(tokenized.ids, config.imageTokenId, shown, slotNumberOf);
    if (slots.length >= contextLength) {
      throw new EngineError("context-full", `the prompt has ${slots.length} of ${contextLength} tokens`);
    }
    // The last slot is always run again: its logits are what the answer starts from.
    const held = Math.min(commonPrefix(cached, slots), slots.length - 1);
    return { prompt, slots, placed, shown, held };
  };
}
