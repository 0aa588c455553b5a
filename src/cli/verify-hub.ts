// `npm run verify:hub -- <id>`: brings a model of the zoo here as the page or its commands do, asks it about three pictures and looks for the
// words that a right answer has; for anyone who is online. What passes may lose its `notYetRun` in src/zoo.
import "#engine/runtime/no-telemetry.node.ts";
import { spawn } from "node:child_process";
import { access } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Command, Option } from "commander";
import { decodeImage } from "#engine/picture/decode.node.ts";
import { EngineError } from "#engine/errors.ts";
import type { GenerateEvent, GenerateRequest } from "#engine/types.ts";
import { openPackage } from "#eval/open-package.ts";
import { createHubHost } from "#hub/host.ts";
import { chooseProcessor, placeInFolder } from "#hub/place.node.ts";
import { ensurePackage } from "#weights/download/ensure.ts";
import { manifestName } from "#weights/manifest.ts";
import { createFolderShardStore } from "#weights/store/store.node.ts";
import type { CheckpointSource, Source, ZooRecord } from "#zoo/record.ts";
import { zoo, zooRecord } from "#zoo/zoo.ts";
import { fetchRepository } from "./fetch-repository.ts";
import { createProgress } from "#cli/terminal/progress.ts";
import { askThreePictures } from "./three-pictures.ts";

/** A model that answers. */
interface Answerer {
  readonly name: string;
  generate(request: GenerateRequest): AsyncIterable<GenerateEvent>;
  end(): Promise<void>;
}

interface Place {
  /** With a trailing slash. */
  readonly hub: string;
  readonly cache: string;
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function verify(id: string, format: string | undefined, place: Place): Promise<boolean> {
  const { record, source } = wanted(id, format);
  const started = performance.now();
  const model = source.format === "onnx" ? await viaLibrary(source.repository, place) : await viaEngine(record, source, place); // prettier-ignore
  say(`${model.name}: ready in ${((performance.now() - started) / 1000).toFixed(1)} s on this machine's processor`);
  try {
    return await askThreePictures((request) => model.generate(request), say);
  } finally {
    await model.end();
  }
}

/** The record's first source, or the one of that format. What the zoo does not have is a checkpoint unless `format` says otherwise. */
function wanted(id: string, format: string | undefined): { record: ZooRecord | undefined; source: Source } {
  const record = zooRecord(id);
  if (record) {
    const source = format === undefined ? record.sources[0] : record.sources.find((one) => one.format === format);
    if (source !== undefined) return { record, source };
    throw new Error(`${id} has ${record.sources.map((one) => one.format).join(" and ")}, no ${format ?? ""}`);
  }
  if (!/^[\w.-]+\/[\w.-]+$/.test(id))
    throw new Error(`"${id}" is neither owner/name nor one of: ${zoo.map((one) => one.id).join(", ")}`);
  if (format === "gguf") throw new Error("files of GGUF are chosen in src/zoo; give one of its ids");
  const isOnnx = format === "onnx";
  return { record, source: isOnnx ? { format, repository: id, bytes: {} } : { format: "safetensors", repository: id } };
}

/** ONNX files, which transformers.js runs. */
async function viaLibrary(repository: string, { hub, cache }: Place): Promise<Answerer> {
  const store = createFolderShardStore(resolve(cache, "shards"));
  const progress = createProgress(process.stderr);
  const model = { id: repository, baseUrl: `${hub}${repository}/resolve/main/` };
  const stored = await ensurePackage(
    model,
    { store, room: () => Promise.resolve(undefined) },
    { onProgress: ({ loaded, total }) => progress.update({ file: repository, written: loaded, total }) },
  );
  progress.end();
  const place = placeInFolder(resolve(cache, repository));
  const api = createHubHost({ chooseDevice: chooseProcessor, place, decodeImage });
  const { name } = await api.load({ model, package: stored, device: "auto", runtimeUrl: "" }, () => undefined);
  return {
    name,
    async *generate(request) {
      const events: GenerateEvent[] = [];
      await api.generate(request, (event) => void events.push(event));
      yield* events;
    },
    end: () => api.unload(),
  };
}

/** Checkpoints, which this engine runs once they are converted. */
async function viaEngine(record: ZooRecord | undefined, source: Source, place: Place): Promise<Answerer> {
  const name = record?.id ?? source.repository.replace("/", "--");
  const out = resolve(place.cache, "packages", `${name}-${source.format}`);
  if (!(await isThere(join(out, manifestName)))) {
    const { vision, embed, decoder } = record?.bits ?? {};
    const bits = Object.entries({ vision, embed, decoder }).flatMap(([part, value]) =>
      value === undefined ? [] : [`--bits-${part}`, String(value)],
    );
    const named = record ? ["--name", record.name, "--id", source.repository] : [];
    await llava(place, "convert", ...(await checkpointOf(record, source, place)), ...bits, ...named, "--", out);
  }
  const engine = await openPackage(out);
  return {
    name: record?.name ?? source.repository,
    generate: (request) => engine.generate(request, new AbortController().signal),
    end: () => engine.dispose(),
  };
}

/** What `llava convert` is given. Files that it reads more than once are fetched first. */
async function checkpointOf(record: ZooRecord | undefined, source: Source, place: Place): Promise<readonly string[]> {
  const fetched = (repository: string, only?: readonly string[]): Promise<string> =>
    fetchRepository(repository, place.hub, resolve(place.cache, "checkpoints"), only);
  if (source.format === "gguf") {
    const folder = await fetched(source.repository, [source.file, source.mmproj]);
    return [join(folder, source.file), "--mmproj", join(folder, source.mmproj)];
  }
  const { repository, base, tower } = source as CheckpointSource;
  if (base === undefined) return [repository, ...(tower === undefined ? [] : ["--vision", tower])];
  const [part, whole] = [await fetched(repository), await fetched(base)];
  const vision = tower === undefined ? [] : ["--vision", await fetched(tower)];
  if (record?.kind !== "delta") return [part, "--base", whole, ...vision];
  const sum = `${part}-whole`;
  if (!(await isThere(sum))) await llava(place, "apply-delta", part, sum, "--base", whole);
  return [sum, ...vision];
}

/** Runs a command of `llava` on the same hub. */
async function llava({ hub }: Place, ...parameters: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, ["scripts/run.mjs", "src/cli/main.ts", ...parameters], {
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, HF_ENDPOINT: hub },
  });
  const code = await new Promise<number | null>((ended) => void child.on("close", ended));
  if (code !== 0) throw new Error(`llava ${parameters[0] ?? ""} did not end well (see above)`);
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

const program = new Command("verify:hub")
  .description("Brings a model of a hub here and asks it about three pictures.")
  .argument("<id>", `a model of the zoo (${zoo.map((record) => record.id).join(", ")}) or owner/name`)
  .addOption(
    new Option("--source <format>", "which of its sources (default: the first)").choices([
      "safetensors",
      "pytorch",
      "gguf",
      "onnx",
    ]),
  )
  .option("--hub <url>", "the hub, or a mirror of it", "https://huggingface.co/")
  .option("--cache <folder>", "where the files are kept", ".cache/hub")
  .action(async (id: string, { hub, cache, source }: { hub: string; cache: string; source?: string }) => {
    const place = { hub: hub.endsWith("/") ? hub : `${hub}/`, cache };
    const right = await verify(id, source, place).catch((error: unknown) => {
      if (error instanceof EngineError && error.code === "network")
        throw new Error(`${new URL(place.hub).host} could not be reached: go online, or name a mirror with --hub`, {
          cause: error,
        });
      throw error;
    });
    if (!right) process.exitCode = 1;
  });

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`verify:hub: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode ??= 1;
}
