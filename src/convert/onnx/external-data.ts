// Places a graph's weights in external-data files of limited size and writes them; also describes an expanded graph's files.
// Knows the names transformers.js looks for: `<graph>.onnx_data`, `<graph>.onnx_data_1`, …
import { EngineError } from "#engine/errors.ts";
import type { Expansion, ExpansionTensor } from "#engine/package.ts";
import type { FileWriter } from "#convert/checkpoint/folders.ts";
import type { Placement, Weight } from "./graph.ts";
import { makeAhead } from "./weight-steps.ts";

/** No file grows past this unless a single weight is larger. */
const maxFileBytes = 256 * 2 ** 20;
/** Every weight begins at a multiple of this, so that typed arrays can look at it in place. */
const alignment = 64;

export interface DataFile {
  /** Path within the package; the graph refers to it by its last part. */
  readonly path: string;
  readonly bytes: number;
  readonly weights: readonly { readonly weight: Weight; readonly offset: number }[];
}

export interface Layout {
  readonly files: readonly DataFile[];
  readonly placements: ReadonlyMap<string, Placement>;
}

/** Gives every weight its place, in order; `graphPath` is the path of the .onnx file. */
export function placeWeights(graphPath: string, weights: readonly Weight[], limit = maxFileBytes): Layout {
  const groups: { weight: Weight; offset: number }[][] = [];
  let end = Infinity;
  for (const weight of weights) {
    const offset = Math.ceil(end / alignment) * alignment;
    const group = groups.at(-1);
    if (group && offset + weight.bytes <= limit) {
      group.push({ weight, offset });
      end = offset + weight.bytes;
    } else {
      groups.push([{ weight, offset: 0 }]);
      end = weight.bytes;
    }
  }
  const files = groups.map((group, index): DataFile => {
    const last = group.at(-1);
    const path = `${graphPath}_data${index === 0 ? "" : `_${index}`}`;
    return { path, bytes: last ? last.offset + last.weight.bytes : 0, weights: group };
  });
  const placements = new Map<string, Placement>();
  for (const file of files) {
    const location = file.path.slice(file.path.lastIndexOf("/") + 1);
    for (const { weight, offset } of file.weights) {
      if (placements.has(weight.name)) throw new EngineError("internal", `two weights are called ${weight.name}`);
      placements.set(weight.name, { location, offset });
    }
  }
  return { files, placements };
}

/** Writes files of weights, one after the other in their order, with zeros between weights; closes each file's writer. */
export function dataFileWriter(): (file: DataFile, writer: FileWriter) => Promise<void> {
  /** What was made along with an earlier weight, which may be in an earlier file. */
  const held = new Map<string, Uint8Array[]>();
  return async (file, writer) => {
    let position = 0;
    const write = async (bytes: Uint8Array): Promise<void> => {
      await writer.write(bytes);
      position += bytes.length;
    };
    for (const { weight, offset } of file.weights) {
      if (offset > position) await write(new Uint8Array(offset - position));
      for (const bytes of held.get(weight.name) ?? []) await write(bytes);
      held.delete(weight.name);
      for await (const { step, made } of makeAhead(weight.steps(), weight.width ?? 1)) {
        for (const [i, bytes] of made.entries()) {
          const name = step.writes[i]?.weight ?? weight.name;
          if (name === weight.name) await write(bytes);
          else held.set(name, [...(held.get(name) ?? []), bytes]);
        }
      }
      if (position !== offset + weight.bytes) {
        throw new EngineError("internal", `${weight.name} wrote ${position - offset} bytes instead of ${weight.bytes}`);
      }
    }
    await writer.close();
  };
}

/** The recipe that fills the expanded graph's files from the stored graph's. */
export function describeExpansion(expanded: Layout, stored: Layout): Expansion {
  const places = new Map(
    stored.files.flatMap(({ path, weights }) =>
      weights.map(({ weight, offset }) => [weight.name, { path, offset, bytes: weight.bytes }] as const),
    ),
  );
  const placeOf = (name: string) => {
    const place = places.get(name);
    if (!place) throw new EngineError("internal", `the expanded graph needs ${name}, which is not stored`);
    return place;
  };
  const describe = (weight: Weight, offset: number): ExpansionTensor => {
    const origin = weight.origin;
    if (!origin) throw new EngineError("internal", `${weight.name} does not say what it is made of`);
    if (origin.kind === "copy") return { kind: "copy", offset, from: placeOf(origin.of) };
    const { bits, block, rows, cols, transpose } = origin;
    const [data, scales] = [placeOf(origin.data), placeOf(origin.scales)];
    const zeroPoints = origin.zeroPoints === undefined ? {} : { zeroPoints: placeOf(origin.zeroPoints) };
    const offsets = origin.offsets === undefined ? {} : { offsets: placeOf(origin.offsets) };
    return { kind: "quantized", offset, bits, block, rows, cols, transpose, data, scales, ...zeroPoints, ...offsets };
  };
  return {
    version: 1,
    files: expanded.files.map(({ path, bytes, weights }) => ({
      path: path.slice(path.lastIndexOf("/") + 1),
      bytes,
      tensors: weights.map(({ weight, offset }) => describe(weight, offset)),
    })),
  };
}
