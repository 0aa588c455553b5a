import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { wholeFile } from "#convert/places/remote-file.ts";
import { fileHashHere } from "./file-hash.ts";
import { HashedStream, type HashedBlock } from "./hashed-stream.ts";
import { readAhead } from "./read-ahead.ts";
import { ResidentFile } from "./resident.ts";

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const content = (seed: number, length: number) => Uint8Array.from({ length }, (_, i) => (i * seed) % 251);
const bytes = [content(3, 250), new Uint8Array(), content(5, 130)] as const;

/** The files of a stream with their published hashes; `wrong` is the number of one that has another. */
function streamOf(wrong?: number) {
  let start = 0;
  return bytes.map((own, i) => {
    const published = sha256(i === wrong ? content(7, 10) : own);
    const file = {
      name: `${i}.bin`,
      start,
      source: new ResidentFile(`${i}.bin`, { ...wholeFile(own), sha256: published }, 100),
    };
    start += own.length;
    return file;
  });
}

async function run(files: ReturnType<typeof streamOf>, from: number, ends: readonly number[], state?: Uint8Array) {
  const left = files.filter(({ start, source }) => start + source.bytes >= from);
  const stream = new HashedStream(await fileHashHere(), left, ends);
  await stream.begin(from, state);
  const found: HashedBlock[] = [];
  const places = left.map(({ source, start }) => ({ file: source, from: Math.max(0, from - start) }));
  for await (const block of readAhead(places, 2, (read) => stream.through(read))) found.push(block);
  return found;
}

test("units end within blocks, at files' ends and between files without bytes, and every state can be gone on with", async () => {
  const ends = [40, 60, 250, 300, 380];
  const blocks = await run(streamOf(), 0, ends);
  expect(blocks.map(({ end }) => end)).toEqual([100, 200, 250, 350, 380]);
  const cuts = blocks.flatMap(({ cuts: own }) => own);
  expect(cuts.map(({ unit }) => unit)).toEqual([0, 1, 2, 3, 4]);
  for (const { unit, state } of cuts) {
    const from = ends[unit] ?? 0;
    const rest = await run(streamOf(), from, ends.slice(unit + 1), state);
    expect(rest.at(-1)?.end ?? 380).toBe(380);
  }
});

test("a file that is not the one whose hash is published is told at its last block, also in the visit that finds nothing left of it", async () => {
  await expect(run(streamOf(2), 0, [380])).rejects.toMatchObject({ code: "integrity", message: expect.stringContaining("2.bin") as string }); // prettier-ignore
  const [, , last] = await run(streamOf(), 0, [250, 380]);
  const state = last?.cuts[0]?.state;
  expect(state).toBeDefined();
  await expect(run(streamOf(0), 250, [380], state)).rejects.toMatchObject({ code: "integrity", message: expect.stringContaining("0.bin") as string }); // prettier-ignore
});

test("a block that does not come ends the stream with its own error", async () => {
  const files = streamOf();
  const broken = files.map((file, i) =>
    i === 2
      ? {
          ...file,
          source: new ResidentFile(
            file.name,
            { bytes: 130, read: () => Promise.reject(new Error("the line is dead")) },
            100,
          ),
        }
      : file,
  );
  await expect(run(broken, 0, [380])).rejects.toThrow("the line is dead");
});
