// Converting while a checkpoint arrives: the same package as from a folder, whatever the files' layout; kills, changed files, wrong hashes.
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import type { CheckpointFile, CheckpointFolder } from "#convert/checkpoint/folders.ts";
import { folderMaking } from "#convert/streaming/folder-making.node.ts";
import type { Making } from "#convert/streaming/making.ts";
import { storeMaking } from "#convert/streaming/store-making.ts";
import { EngineError } from "#engine/errors.ts";
import {
  encodeSafetensors,
  memoryCheckpoint,
  memoryPackage,
  tiny,
  tinyConfig,
  tinyFiles,
  tinyTensors,
  type TensorData,
} from "#testing/fixtures.ts";
import { seeded } from "#testing/seeded.ts";
import { parseManifest, type Manifest } from "#weights/manifest.ts";
import { listPackages, verifyPackage } from "#weights/inventory.ts";
import { journalKey, manifestKey, shardKey } from "#weights/store/keys.ts";
import { createMemoryShardStore, type ShardStore } from "#weights/store/store.ts";
import { convert } from "./convert.ts";
import { convertStream, planStream, type StreamOptions } from "./convert-stream.ts";

const bits = { vision: 8, embed: 8, decoder: 4 } as const;
const id = "someone/tiny";
const small = { bits, id, unitBytes: 3000, blockBytes: 4096 } satisfies StreamOptions;

/** The files of a checkpoint whose tensors lie in these files, sorted by name in each as the hub's are. */
function inFiles(groups: readonly (readonly string[])[], tensors = tinyTensors(), config: unknown = tinyConfig()) {
  const files = tinyFiles(tensors, config);
  if (groups.length === 1) return files;
  files.delete("model.safetensors");
  const map: Record<string, string> = {};
  groups.forEach((names, i) => {
    const file = `model-0000${i + 1}-of-0000${groups.length}.safetensors`;
    const own = names.toSorted().map((name): [string, TensorData] => {
      map[name] = file;
      return [name, tensors.get(name) ?? { shape: [0], values: new Float32Array() }];
    });
    files.set(file, encodeSafetensors(new Map(own)));
  });
  files.set("model.safetensors.index.json", JSON.stringify({ weight_map: map }));
  return files;
}

/** The names of tensors dealt to files at random, so that layers, and the parts of one matrix, lie in several. */
function dealt(names: readonly string[], count: number, random: () => number): string[][] {
  const groups: string[][] = Array.from({ length: count }, () => []);
  for (const name of names) groups[Math.floor(random() * count)]?.push(name);
  return groups.filter((group) => group.length > 0);
}

/** The folder, with every file's SHA-256 and a record of what is read of weights. */
function published(files: ReadonlyMap<string, Uint8Array | string>) {
  const folder = memoryCheckpoint("tiny-llava", files);
  const reads: { readonly path: string; readonly start: number; readonly end: number }[] = [];
  const withHashes: CheckpointFolder = {
    ...folder,
    async open(path): Promise<CheckpointFile | undefined> {
      const file = await folder.open(path);
      const content = files.get(path);
      if (!file || content === undefined) return undefined;
      return {
        ...file,
        sha256: createHash("sha256").update(content).digest("hex"),
        async read(offset, length) {
          if (path.endsWith(".safetensors")) reads.push({ path, start: offset, end: offset + length });
          return file.read(offset, length);
        },
      };
    },
  };
  return { folder: withHashes, reads };
}

const making = (store: ShardStore) => storeMaking(store, id, () => Promise.resolve(undefined));

async function stream(folder: CheckpointFolder, store: ShardStore, options: StreamOptions = small): Promise<Manifest> {
  return convertStream(await planStream(folder, options), making(store), options);
}

/** The files of a stored package, joined from its shards. */
async function storedFiles(store: ShardStore, manifest: Manifest): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (const { path, shards } of manifest.files) {
    const parts = shards.map(async ({ sha256 }, i) => {
      const blob = await store.get(shardKey(id, path, i, sha256));
      return Buffer.from(await (blob ?? new Blob([])).arrayBuffer());
    });
    files.set(path, Buffer.concat(await Promise.all(parts)));
  }
  return files;
}

/** Expects what a folder with the same files is converted into, byte by byte. */
async function expectSame(store: ShardStore, files: ReadonlyMap<string, Uint8Array | string>): Promise<void> {
  const to = memoryPackage();
  await convert(memoryCheckpoint("tiny-llava", files), to, { bits, id });
  const blob = await store.get(manifestKey(id));
  const parsed = parseManifest(JSON.parse((await blob?.text()) ?? "{}"));
  if (!parsed.ok) throw new Error(parsed.problem);
  const stored = await storedFiles(store, parsed.manifest);
  for (const [path, bytes] of to.written) {
    if (path !== "manifest.json") expect(stored.get(path)?.equals(bytes), path).toBe(true);
  }
  expect(stored.size).toBe(to.written.size - 1);
  expect(await verifyPackage(store, id)).toEqual({ damaged: 0, missing: 0 });
  const [info] = await listPackages(store);
  expect(info).toMatchObject({ id, complete: true });
  expect(await store.keys()).not.toContain(journalKey(id));
}

test("a checkpoint that streams by becomes the same bytes as one in a folder, also where its tensors lie in files at random", async () => {
  const { seed, random } = seeded();
  console.log(`LLAVA_SEED=${seed}`);
  const names = [...tinyTensors().keys()];
  for (const count of [1, 2, 3, 4]) {
    const files = inFiles(count === 1 ? [names] : dealt(names, count, random));
    const store = createMemoryShardStore();
    const { folder, reads } = published(files);
    await stream(folder, store);
    await expectSame(store, files);
    // Every byte once, but for the headers.
    const headers = reads.filter(({ start }) => start <= 8).length;
    const blocks = [...files].flatMap(([path, content]) =>
      path.endsWith(".safetensors") ? Math.ceil(content.length / small.blockBytes) : [],
    );
    expect(reads.length).toBeLessThanOrEqual(blocks.reduce((sum, n) => sum + n, 0) + headers);
  }
});

test("a tied table, which two graphs read, is one pass, too", async () => {
  const tensors = tinyTensors();
  tensors.delete("language_model.lm_head.weight");
  const config = tinyConfig();
  const files = tinyFiles(tensors, { ...config, tie_word_embeddings: true });
  const store = createMemoryShardStore();
  await stream(published(files).folder, store);
  await expectSame(store, files);
});

/** A tab that dies at the n-th time that something is stored: that write may be half done, and nothing comes after it. */
function tabOver(store: ShardStore, writes: number) {
  let left = writes;
  const dead = new AbortController();
  const write = async (work: () => Promise<void>): Promise<void> => {
    if (left-- > 0) return work();
    dead.abort();
    throw new EngineError("storage", "the tab is dead");
  };
  const tab: ShardStore = {
    get: (key) => store.get(key),
    keys: () => store.keys(),
    put: (key, blob) => write(() => store.put(key, blob)),
    delete: (keys) => write(() => store.delete(keys)),
  };
  return { tab, dead: dead.signal };
}

test("20 kills: the package comes whole, and no byte that ended in a finished unit is read again", async () => {
  const { seed, random } = seeded();
  console.log(`LLAVA_SEED=${seed}`);
  const names = [...tinyTensors().keys()];
  const files = inFiles(dealt(names, 3, random));
  let store = createMemoryShardStore();
  const { folder, reads } = published(files);
  const { plan } = await planStream(folder, small);
  const starts = new Map(plan.files.map(({ name, start }) => [name, start]));
  let [again, resumed, kills] = [0, 0, 0];
  while (kills < 20) {
    const journal = await making(store).journal();
    const finished = plan.units[(journal?.units ?? 0) - 1]?.end ?? 0;
    if (finished > 0) resumed++;
    reads.length = 0;
    const { tab, dead } = tabOver(store, 1 + Math.floor(random() * 6));
    const made = await stream(folder, tab, { ...small, signal: dead }).then(
      () => true,
      () => false,
    );
    // Headers are read anew; weights are not.
    for (const { path, start, end } of reads) {
      const at = starts.get(path) ?? 0;
      const header = start === 8 || (start === 0 && end <= 32);
      if (!header && at + start < finished) again += Math.min(finished, at + end) - at - start;
    }
    if (!made) kills++;
    else {
      // It came whole before its end was due: the next tab finds nothing.
      await expectSame(store, files);
      store = createMemoryShardStore();
    }
  }
  expect(resumed).toBeGreaterThan(5);
  expect(again).toBe(0);
  await stream(folder, store);
  await expectSame(store, files);
});

test("a file that is not the one whose hash is published makes no package, and nothing of it stays", async () => {
  const names = [...tinyTensors().keys()].toSorted();
  const files = inFiles([names.slice(0, 30), names.slice(30)]);
  const { folder } = published(files);
  const path = "model-00002-of-00002.safetensors";
  const wrong = Uint8Array.from(files.get(path) as Uint8Array);
  wrong[wrong.length - 7] = (wrong[wrong.length - 7] ?? 0) ^ 1;
  const lying: CheckpointFolder = {
    ...folder,
    async open(name) {
      const file = await folder.open(name);
      return name === path && file ? { ...file, read: (a, n) => Promise.resolve(wrong.slice(a, a + n)) } : file;
    },
  };
  const store = createMemoryShardStore();
  await expect(stream(lying, store)).rejects.toMatchObject({ code: "integrity", message: expect.stringContaining(path) as string }); // prettier-ignore
  expect(await store.keys()).toEqual([]);
  // Also where the visit that finds out is not the one that began.
  const { tab, dead } = tabOver(store, 9);
  await expect(stream(lying, tab, { ...small, signal: dead })).rejects.toBeDefined();
  expect((await making(store).journal())?.units).toBeGreaterThan(0);
  await expect(stream(lying, store)).rejects.toMatchObject({ code: "integrity" });
  expect(await store.keys()).toEqual([]);
});

test("a file that changes between its header and its weights is told as that", async () => {
  const files = tinyFiles();
  const { folder } = published(files);
  const whole = files.get("model.safetensors") as Uint8Array;
  let opened = 0;
  const changing: CheckpointFolder = {
    ...folder,
    async open(name) {
      const file = await folder.open(name);
      if (name !== "model.safetensors" || !file) return file;
      return {
        ...file,
        read(offset, length) {
          // The header is read in three runs.
          const bytes = whole.slice(offset, offset + length);
          if (++opened > 3) bytes[20] = (bytes[20] ?? 0) + 1;
          return Promise.resolve(bytes);
        },
      };
    },
  };
  const store = createMemoryShardStore();
  await expect(stream(changing, store)).rejects.toMatchObject({
    code: "integrity",
    message: expect.stringContaining("changed while it was read") as string,
  });
  expect(await store.keys()).toEqual([]);
});

test("what is left of another checkpoint is not gone on with, and a finished package stays until the new one is whole", async () => {
  const store = createMemoryShardStore();
  await stream(published(tinyFiles()).folder, store);
  const before = await store.get(manifestKey(id));
  const tensors = tinyTensors();
  tensors.set("language_model.model.norm.weight", { shape: [tiny.text.hidden], values: new Float32Array(tiny.text.hidden).fill(2) }); // prettier-ignore
  const other = tinyFiles(tensors);
  const { tab, dead } = tabOver(store, 8);
  await expect(stream(published(other).folder, tab, { ...small, signal: dead })).rejects.toBeDefined();
  expect(await (await store.get(manifestKey(id)))?.text()).toBe(await before?.text());
  expect(await verifyPackage(store, id)).toEqual({ damaged: 0, missing: 0 });
  await stream(published(other).folder, store);
  await expectSame(store, other);
});

test("a pause ends as an abort and keeps the finished units", async () => {
  const { folder } = published(tinyFiles());
  const store = createMemoryShardStore();
  const abort = new AbortController();
  const kept: number[] = [];
  const work = stream(folder, store, {
    ...small,
    signal: abort.signal,
    onProgress(progress) {
      kept.push(progress.kept);
      if (progress.kept > 10_000) abort.abort();
    },
  });
  await expect(work).rejects.toMatchObject({ name: "AbortError" });
  expect((await making(store).journal())?.units).toBeGreaterThan(0);
  expect(kept).toEqual(kept.toSorted((a, b) => a - b));
  await stream(folder, store);
  await expectSame(store, tinyFiles());
});

const fixtures = fileURLToPath(new URL("../../training/fixtures/", import.meta.url));

/** The files of a folder of fixtures; of a folder of GGUF files those of one model. */
async function fixtureFiles(folder: string, prefix = ""): Promise<Map<string, Uint8Array>> {
  const entries = await readdir(join(fixtures, folder), { withFileTypes: true });
  const names = entries.filter((entry) => entry.isFile() && entry.name.startsWith(prefix)).map(({ name }) => name);
  const read = names.map(async (name) => [name, new Uint8Array(await readFile(join(fixtures, folder, name)))] as const);
  return new Map(await Promise.all(read));
}

const families = (await readdir(join(fixtures, "families"))).filter((name) => !/\.(json|tower)$/.test(name));
const whole = families.map((name) => [`families/${name}`, ""] as const);
const gguf = ["llava-1.5.", "llava-1.6-mistral.", "llava-interleave."].map((prefix) => ["gguf", prefix] as const);

test.each([...whole, ...gguf])("%s %s streams to the same bytes as from its folder", async (path, prefix) => {
  const files = await fixtureFiles(path, prefix);
  const names = (): Promise<string[]> => Promise.resolve([...files.keys()]);
  // The original layout comes without its tower, which streams along.
  const tower = path.endsWith(".original") ? await fixtureFiles(path.replace(/original$/, "tower")) : undefined;
  const to = memoryPackage();
  const given = await convert({ ...memoryCheckpoint("tiny-llava", files), names }, to, {
    bits,
    id,
    more: { vision: tower && memoryCheckpoint("tower", tower) },
  }).catch((error: unknown) => error);
  const store = createMemoryShardStore();
  const streamed = await stream({ ...published(files).folder, names }, store, {
    ...small,
    more: { vision: tower && published(tower).folder },
  }).catch((error: unknown) => error);
  if (given instanceof Error) {
    // What is refused is refused in both ways.
    expect(streamed).toMatchObject({ message: given.message });
    return;
  }
  if (streamed instanceof Error) throw streamed;
  const stored = await storedFiles(store, streamed as Manifest);
  for (const [file, bytes] of to.written) {
    if (file !== "manifest.json") expect(stored.get(file)?.equals(bytes), file).toBe(true);
  }
});

test("20 kills of a package in a folder: it comes whole, and what is damaged meanwhile is made anew", async () => {
  const { seed, random } = seeded();
  console.log(`LLAVA_SEED=${seed}`);
  const root = await mkdtemp(join(tmpdir(), "llava-making-"));
  const out = join(root, "out");
  try {
    const files = inFiles(dealt([...tinyTensors().keys()], 2, random));
    const { folder } = published(files);
    const run = async (writes: number): Promise<void> => {
      const inFolder = await folderMaking(out, { force: false });
      let left = writes;
      const dead = new AbortController();
      const dying: Making = {
        ...inFolder,
        put: (shard, bytes) => (left-- > 0 ? inFolder.put(shard, bytes) : Promise.reject(new Error("killed"))),
        note: (journal) => (left-- > 0 ? inFolder.note(journal) : Promise.reject(new Error("killed"))),
      };
      try {
        await convertStream(await planStream(folder, small), dying, { ...small, signal: dead.signal });
      } finally {
        await inFolder.close();
      }
    };
    const unitsDone = async (): Promise<number> => {
      const journal = await readFile(join(root, ".out.unfinished/.making.json"), "utf8").catch(() => '{"units":0}');
      return (JSON.parse(journal) as { units: number }).units;
    };
    for (let kills = 0; kills < 20 || (await unitsDone()) === 0;) {
      const end = await run(1 + Math.floor(random() * 12)).catch(String);
      if (end === undefined) await rm(out, { recursive: true });
      else {
        expect(end).toBe("Error: killed");
        kills++;
      }
    }
    // A machine that lost power has files without what was written last.
    await truncate(join(root, ".out.unfinished/onnx/embed_tokens_quantized.onnx_data"), 0).catch(() => undefined);
    await run(Infinity);
    const to = memoryPackage();
    await convert(memoryCheckpoint("tiny-llava", files), to, { bits, id });
    for (const [path, bytes] of to.written) {
      if (path !== "manifest.json") expect((await readFile(join(out, path))).equals(bytes), path).toBe(true);
    }
    expect(await readdir(root)).toEqual(["out"]);
  } finally {
    await rm(root, { recursive: true });
  }
});
