// Divides the making of a package into units along the stream of its source files: at a unit's end, every step before it has all its bytes
// behind it and every step after it has them ahead. So what is finished there never needs a byte again. Reads no bytes itself.
import { EngineError } from "#engine/errors.ts";
import { badCheckpoint } from "#convert/checkpoint/bad-checkpoint.ts";
import type { Span } from "#convert/checkpoint/checkpoint.ts";
import type { CheckpointFile } from "#convert/checkpoint/folders.ts";
import type { DataFile } from "#convert/onnx/external-data.ts";
import type { WeightStep } from "#convert/onnx/weight-steps.ts";

/** A file of the checkpoint and its place in the stream, in which the files follow one another. */
export interface StreamedFile {
  readonly name: string;
  readonly source: CheckpointFile;
  /** Position of its first byte. */
  readonly start: number;
}

/** Where a part of what a step makes belongs. */
interface Target {
  readonly path: string;
  readonly offset: number;
  readonly bytes: number;
  /** Zeros that follow it, up to the next weight. */
  readonly padding: number;
}

export interface PlacedStep {
  readonly step: WeightStep;
  /** Positions in the stream of the first byte that it reads, and behind the last. */
  readonly start: number;
  readonly end: number;
  readonly targets: readonly Target[];
}

/** A shard of a file of the package. */
interface PlannedShard {
  readonly path: string;
  /** Among the file's shards. */
  readonly index: number;
  readonly offset: number;
  readonly bytes: number;
}

export interface Unit {
  /** In the order in which their bytes are complete. */
  readonly steps: readonly PlacedStep[];
  readonly shards: readonly PlannedShard[];
  readonly end: number;
  /** Bytes before the end that later steps read, too: a few vectors of a layer that lies in two files. */
  readonly carried: readonly Span[];
}

export interface StreamPlan {
  /** Files that hold anything of the package, in the order in which they are read. */
  readonly files: readonly StreamedFile[];
  readonly units: readonly Unit[];
  readonly streamBytes: number;
  readonly packageBytes: number;
  /** Files of the package with the number of their shards. */
  readonly made: readonly { readonly path: string; readonly bytes: number; readonly shards: number }[];
}

/** No shard grows past this. */
const shardBytes = 32 * 2 ** 20;
/** More than these are not carried over a unit's end. */
const mostCarried = 2 ** 20;

/** `parts` are the files of weights of each graph; a unit makes at least `unitBytes` of the package, but the last. */
export function planUnits(
  opened: readonly { readonly name: string; readonly source: CheckpointFile }[],
  parts: readonly (readonly DataFile[])[],
  unitBytes: number,
): StreamPlan {
  const targeted = parts.flatMap(stepsOf);
  const used = new Set(targeted.flatMap(({ step, weight }) => readsOf(step, weight).map(({ source }) => source)));
  const files: StreamedFile[] = [];
  let streamBytes = 0;
  for (const { name, source } of opened) {
    if (!used.delete(source)) continue;
    files.push({ name, source, start: streamBytes });
    streamBytes += source.bytes;
  }
  if (used.size > 0)
    throw new EngineError("internal", "a step reads a file that was not opened as a part of the stream");
  const starts = new Map<unknown, number>(files.map(({ source, start }) => [source, start]));
  const positions = (span: Span): readonly [number, number] => {
    const start = (starts.get(span.source) ?? NaN) + span.offset;
    return [start, start + span.bytes];
  };
  const steps = targeted.map(({ step, weight, targets }): PlacedStep => {
    const reads = readsOf(step, weight).map(positions);
    const start = reads.reduce((least, [from]) => Math.min(least, from), Infinity);
    const end = reads.reduce((most, [, to]) => Math.max(most, to), 0);
    return { step, targets, start: Math.min(start, end), end };
  });
  const cut = cutUnits(steps, positions, unitBytes);
  const made = parts.flat().map(({ path, bytes }) => ({ path, bytes }));
  const counts = new Map<string, number>();
  const units = numbered(cut, counts);
  return {
    files,
    units,
    streamBytes,
    packageBytes: made.reduce((sum, { bytes }) => sum + bytes, 0),
    made: made.map((file) => ({ ...file, shards: counts.get(file.path) ?? 0 })),
  };
}

function readsOf(step: WeightStep, weight: string): readonly Span[] {
  if (step.reads) return step.reads.filter(({ bytes }) => bytes > 0);
  throw badCheckpoint(
    `${weight} is computed from several tensors, so its files can't be converted while they arrive; fetch them first and convert the folder`,
  );
}

/** Every step of a graph's weights, with the places in files of what it makes. */
function stepsOf(files: readonly DataFile[]) {
  const places = new Map<string, { path: string; offset: number; bytes: number; padding: number }>();
  for (const { path, bytes, weights } of files) {
    for (const [i, { weight, offset }] of weights.entries()) {
      const end = offset + weight.bytes;
      const padding = (weights[i + 1]?.offset ?? bytes) - end;
      places.set(weight.name, { path, offset, bytes: weight.bytes, padding });
    }
  }
  return files.flatMap(({ weights }) =>
    weights.flatMap(({ weight }) =>
      weight.steps().map((step) => ({
        step,
        weight: weight.name,
        targets: step.writes.map(({ weight: name, at, bytes }): Target => {
          const place = places.get(name);
          if (!place) throw new EngineError("internal", `a step of ${weight.name} makes ${name}, which has no place`);
          const isLast = at + bytes === place.bytes;
          return { path: place.path, offset: place.offset + at, bytes, padding: isLast ? place.padding : 0 };
        }),
      })),
    ),
  );
}

type CutUnit = Omit<Unit, "shards"> & { readonly shards: readonly Omit<PlannedShard, "index">[] };

/** Ends a unit wherever it is large enough and nothing, or little, of what is behind is needed again. */
function cutUnits(
  steps: readonly PlacedStep[],
  positions: (span: Span) => readonly [number, number],
  unitBytes: number,
): CutUnit[] {
  const byEnd = steps.toSorted((a, b) => a.end - b.end || a.start - b.start);
  const byStart = steps.toSorted((a, b) => a.start - b.start);
  const begun = new Set<PlacedStep>();
  const units: CutUnit[] = [];
  let inUnit: PlacedStep[] = [];
  let bytes = 0;
  let nextBegun = 0;
  for (const [i, placed] of byEnd.entries()) {
    inUnit.push(placed);
    bytes += placed.targets.reduce((sum, target) => sum + target.bytes, 0);
    const { end } = placed;
    for (let next = byStart[nextBegun]; next && next.start < end; next = byStart[++nextBegun]) begun.add(next);
    begun.delete(placed);
    const isLast = i === byEnd.length - 1;
    if (!isLast && (bytes < unitBytes || byEnd[i + 1]?.end === end)) continue;
    // Steps that ended at an earlier position were begun and deleted, or began where they ended.
    const later = [...begun].filter((step) => step.end > end);
    const carried = later.flatMap(({ step }) => partsBefore(step.reads ?? [], end, positions));
    if (!isLast && carried.reduce((sum, span) => sum + span.bytes, 0) > mostCarried) continue;
    units.push({ steps: inUnit, shards: shardsOf(inUnit), end, carried });
    inUnit = [];
    bytes = 0;
  }
  return units;
}

function partsBefore(
  reads: readonly Span[],
  end: number,
  positions: (span: Span) => readonly [number, number],
): readonly Span[] {
  return reads.flatMap((span) => {
    const [from, to] = positions(span);
    return from < end ? [{ ...span, bytes: Math.min(to, end) - from }] : [];
  });
}

/** What the steps make as runs of bytes in files, in shards that are not too large. */
function shardsOf(steps: readonly PlacedStep[]): Omit<PlannedShard, "index">[] {
  const ranges = steps
    .flatMap(({ targets }) => targets)
    .toSorted((a, b) => compare(a.path, b.path) || a.offset - b.offset);
  const runs: { path: string; offset: number; bytes: number }[] = [];
  for (const { path, offset, bytes, padding } of ranges) {
    const last = runs.at(-1);
    if (last?.path === path && last.offset + last.bytes === offset) last.bytes += bytes + padding;
    else runs.push({ path, offset, bytes: bytes + padding });
  }
  return runs.flatMap(({ path, offset, bytes }) => {
    const size = Math.ceil(bytes / Math.ceil(bytes / shardBytes));
    return Array.from({ length: Math.ceil(bytes / size) }, (_, i) => ({
      path,
      offset: offset + i * size,
      bytes: Math.min(size, bytes - i * size),
    }));
  });
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Numbers the shards of each file by their places, and counts them. */
function numbered(units: readonly CutUnit[], counts: Map<string, number>): Unit[] {
  const ends = new Map<string, number>();
  const indices = new Map<object, number>();
  const all = units.flatMap(({ shards }) => shards).toSorted((a, b) => compare(a.path, b.path) || a.offset - b.offset);
  for (const shard of all) {
    const end = ends.get(shard.path) ?? 0;
    if (shard.offset !== end) throw new EngineError("internal", `${shard.path}: nothing makes the bytes from ${end}`);
    ends.set(shard.path, end + shard.bytes);
    const index = counts.get(shard.path) ?? 0;
    indices.set(shard, index);
    counts.set(shard.path, index + 1);
  }
  return units.map((unit) => ({
    ...unit,
    shards: unit.shards.map((shard) => ({ ...shard, index: indices.get(shard) ?? 0 })),
  }));
}
