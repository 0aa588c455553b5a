// Checks that the fields of a config.json share, with messages that say what a value must be.
import * as v from "valibot";
import { badCheckpoint } from "#convert/checkpoint/bad-checkpoint.ts";

export const number = v.number((issue) => `it is ${issue.received}, and a number is needed`);
const integer = v.integer<number, (issue: { readonly input: number }) => string>(
  ({ input }) => `it is ${input}, and a whole number is needed`,
);
/** A size: at least 1, and no larger than any model has it by far. */
export const upTo = (most: number) =>
  v.pipe(
    number,
    integer,
    v.minValue(1, ({ input }) => `it is ${input}, and at least 1 is needed`),
    v.maxValue(most, ({ input }) => `it is ${input}, and at most ${most} can be`),
  );
export const whole = upTo(65_536);
export const positive = v.pipe(
  number,
  v.finite(),
  v.gtValue(0, ({ input }) => `it is ${input}, and more than 0 is needed`),
);
export const layerIndex = v.pipe(number, integer);
export const tokenId = v.pipe(
  number,
  integer,
  v.minValue(0, ({ input }) => `it is ${input}, and a token's number is 0 or more`),
);

export function divides(part: string, total: number, count: number): void {
  if (total % count !== 0) throw badCheckpoint(`${part}: ${total} does not divide by ${count} heads`);
}

export function only(field: string, value: string, known: readonly string[]): void {
  if (!known.includes(value)) throw badCheckpoint(`${field} is "${value}"; known are ${known.join(", ")}`);
}
