// Reads the logits that a session left on its device.
import { EngineError } from "#engine/errors.ts";
import { elementCount, type Runtime, type RuntimeTensor, type Top } from "#engine/runtime/runtime.ts";

/** A device finds no more than this many of the largest logits. */
const mostTop = 64;

/**
 * The last `keep` rows of `logits` [1, rows, vocab], as copies. With `top`, rows that the device searched itself hold −Infinity except for their
 * `top` largest logits.
 */
export async function readLogits(
  runtime: Runtime,
  logits: RuntimeTensor,
  vocabSize: number,
  keep: number,
  top: number | undefined,
): Promise<Float32Array[]> {
  if (top !== undefined && top <= mostTop && runtime.top) {
    return sparseRows(await runtime.top(logits, keep, vocabSize, top), vocabSize);
  }
  return lastRows(await runtime.read(logits), elementCount(logits.dims), vocabSize, keep);
}

function sparseRows(found: readonly Top[], vocabSize: number): Float32Array[] {
  return found.map(({ values, places }) => {
    const row = new Float32Array(vocabSize).fill(-Infinity);
    places.forEach((place, i) => (row[place] = values[i] ?? -Infinity));
    return row;
  });
}

function lastRows(logits: Float32Array, elements: number, vocabSize: number, keep: number): Float32Array[] {
  if (elements % vocabSize !== 0) throw new EngineError("bad-package", "the logits do not have the vocabulary's size");
  return Array.from({ length: keep }, (_, i) => {
    const start = elements - (keep - i) * vocabSize;
    return logits.slice(start, start + vocabSize);
  });
}
