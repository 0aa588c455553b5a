// Files as they stream by, and the reads that run ahead of them.
import { expect, test } from "vitest";
import { wholeFile } from "#convert/places/remote-file.ts";
import { createBlockPool } from "./block-pool.ts";
import { readAhead } from "./read-ahead.ts";
import { ResidentFile } from "./resident.ts";

const content = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7) % 256);
const blockBytes = 100;

/** A file whose reads are recorded. */
function recorded() {
  const reads: [offset: number, length: number][] = [];
  const file = wholeFile(content);
  const source = {
    ...file,
    read: (offset: number, length: number) => {
      reads.push([offset, length]);
      return file.read(offset, length);
    },
  };
  return { reads, resident: new ResidentFile("a.safetensors", source, blockBytes) };
}

const block = (at: number, to = at + blockBytes) => ({ offset: at, bytes: content.slice(at, to) });

test("bytes that streamed by are read without the file, also across blocks, and others from the file", async () => {
  const { reads, resident } = recorded();
  resident.need(150, 100);
  resident.add(block(100, 200));
  resident.add(block(200, 300));
  expect(await resident.read(150, 100)).toEqual(content.slice(150, 250));
  expect(reads).toEqual([]);
  expect(await resident.read(290, 20)).toEqual(content.slice(290, 310));
  expect(reads).toEqual([[290, 20]]);
});

test("a block is held until its last step has read it, and one that nobody needs is not held at all", () => {
  const { resident } = recorded();
  resident.need(0, 60);
  resident.need(50, 100);
  resident.add(block(0));
  resident.add(block(100));
  resident.add(block(200));
  expect(resident.peek(200, 10)).toBeUndefined();
  resident.release(0, 60);
  expect(resident.peek(50, 100)).toEqual(content.slice(50, 150));
  resident.release(50, 100);
  expect(resident.peek(50, 100)).toBeUndefined();
  expect(resident.peek(100, 10)).toBeUndefined();
});

test("a stream that brings other bytes than an earlier read is told as a file that changed", async () => {
  const { resident } = recorded();
  await resident.read(40, 20);
  const other = block(0);
  other.bytes[45] = (other.bytes[45] ?? 0) ^ 1;
  expect(() => resident.add(other)).toThrow("a.safetensors changed while it was read");
});

test("bytes that an earlier visit carried over are held from the beginning", () => {
  const { resident } = recorded();
  resident.carry(block(120, 140));
  expect(resident.peek(125, 10)).toEqual(content.slice(125, 135));
  expect(resident.peek(125, 20)).toBeUndefined();
});

test("the memory of a block that is not held any more is read into again, that of a shorter one is not", async () => {
  const pool = createBlockPool(blockBytes);
  const given: (Uint8Array | undefined)[] = [];
  const source = {
    bytes: content.length,
    read: (offset: number, length: number, into?: Uint8Array<ArrayBuffer>) => {
      given.push(into);
      return wholeFile(content).read(offset, length);
    },
  };
  const resident = new ResidentFile("a.safetensors", source, blockBytes, pool);
  resident.need(0, 10);
  const first = { offset: 0, bytes: await resident.readBlock(0) };
  resident.add(first);
  resident.add({ offset: 950, bytes: await resident.readBlock(950) });
  resident.release(0, 10);
  await resident.readBlock(100);
  await resident.readBlock(200);
  expect(given).toEqual([undefined, undefined, first.bytes, undefined]);
});

test("reads run ahead as many as are allowed, come in their order, and none is under way when the stream has ended", async () => {
  let [underWay, most] = [0, 0];
  const waits = [5, 1, 9, 3, 7, 4, 8, 3, 5, 6];
  const source = {
    ...wholeFile(content),
    async read(offset: number, length: number) {
      most = Math.max(most, ++underWay);
      // Later blocks may be here first.
      for (let turn = waits[Math.floor(offset / blockBytes)] ?? 0; turn > 0; turn--) await Promise.resolve();
      underWay--;
      return content.slice(offset, offset + length);
    },
  };
  const files = [{ file: new ResidentFile("a.safetensors", source, blockBytes), from: 250 }];
  const offsets: number[] = [];
  for await (const one of readAhead(files, 3, (read) => read)) {
    offsets.push(one.offset);
    if (one.offset === 800) break;
  }
  expect(offsets).toEqual([250, 300, 400, 500, 600, 700, 800]);
  expect([most, underWay]).toEqual([3, 0]);
});
