// The key-value pairs of a GGUF file, checked when they are read. Knows no keys.
import type { EngineError } from "#engine/errors.ts";
import { badCheckpoint } from "#convert/checkpoint/bad-checkpoint.ts";
import type { GgufValue } from "#formats/gguf/header.ts";

export class GgufMetadata {
  readonly #file: string;
  readonly #pairs: ReadonlyMap<string, GgufValue>;

  /** `file` is named in messages. */
  constructor(file: string, pairs: ReadonlyMap<string, GgufValue>) {
    this.#file = file;
    this.#pairs = pairs;
  }

  has(key: string): boolean {
    return this.#pairs.has(key);
  }

  /** A number that has to be there. */
  number(key: string): number {
    const found = this.numberIn(key);
    if (found !== undefined) return found;
    throw badCheckpoint(`${this.#file} has no ${key}: is it a whole model?`);
  }

  numberIn(key: string): number | undefined {
    return this.#value(key, "a number", (value) => (typeof value === "number" ? beforeRounding(value) : undefined));
  }

  textIn(key: string): string | undefined {
    return this.#value(key, "a text", (value) => (typeof value === "string" ? value : undefined));
  }

  flagIn(key: string): boolean | undefined {
    return this.#value(key, "true or false", (value) => (typeof value === "boolean" ? value : undefined));
  }

  numbersIn(key: string): readonly number[] | undefined {
    return this.#value(key, "a list of numbers", (value) =>
      Array.isArray(value) && value.every((one) => typeof one === "number") ? value : undefined,
    );
  }

  textsIn(key: string): readonly string[] | undefined {
    return this.#value(key, "a list of texts", (value) =>
      Array.isArray(value) && value.every((one) => typeof one === "string") ? value : undefined,
    );
  }

  /** The error for a pair that can't be used. */
  wrong(what: string): EngineError {
    return badCheckpoint(`${this.#file} ${what}`);
  }

  #value<T>(key: string, kind: string, read: (value: GgufValue) => T | undefined): T | undefined {
    const value = this.#pairs.get(key);
    if (value === undefined) return undefined;
    const found = read(value);
    if (found !== undefined) return found;
    throw this.wrong(`has ${key} that is not ${kind}: it is damaged, or was written by an unknown program`);
  }
}

/** The shortest decimal that a 32-bit float may have been, 1e-5 of 9.999999747378752e-6; other numbers as they are. */
export function beforeRounding(value: number): number {
  if (Math.fround(value) !== value) return value;
  for (let digits = 6; digits < 9; digits++) {
    const shorter = Number(value.toPrecision(digits));
    if (Math.fround(shorter) === value) return shorter;
  }
  return value;
}
