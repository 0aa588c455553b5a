// `npm run verify:hub -- <id>`: brings a model of the hub here, asks it about three pictures and looks for the words that a right answer
// has; for anyone who is online. What passes may lose its "not yet run" in src/zoo.
import "#engine/runtime/no-telemetry.node.ts";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { Command } from "commander";
import sharp from "sharp";
import { decodeImage } from "#engine/picture/decode.node.ts";
import { EngineError } from "#engine/errors.ts";
import type { GenerateEvent, GenerateRequest } from "#engine/types.ts";
import { createHubHost } from "#hub/host.ts";
import { chooseProcessor, placeInFolder } from "#hub/place.node.ts";
import { ensurePackage } from "#weights/download/ensure.ts";
import { createFolderShardStore } from "#weights/store/store.node.ts";
import type { InferenceApi } from "#worker/api.ts";
import { repositoryOf, zoo } from "#zoo/zoo.ts";
import { createProgress } from "./progress.ts";

interface Check {
  readonly picture: string;
  readonly question: string;
  readonly words: RegExp;
  readonly read: () => Promise<Uint8Array<ArrayBuffer>>;
}

const drawn = `<svg xmlns="http://www.w3.org/2000/svg" width="400" height="300"><rect width="400" height="300" fill="#fff"/>
<circle cx="200" cy="150" r="100" fill="#d22"/></svg>`;
const example = (name: string): Pick<Check, "picture" | "read"> => ({
  picture: name,
  read: async () => new Uint8Array(await readFile(`public/examples/${name}`)),
});

const checks: readonly Check[] = [
  { ...example("pets.png"), question: "What animals are in the picture?", words: /cat|kitten/i },
  { ...example("sign.png"), question: "What word is written in the picture?", words: /hello/i },
  {
    picture: "a red circle",
    question: "What colour is the circle?",
    words: /red/i,
    read: async () => new Uint8Array(await sharp(Buffer.from(drawn)).png().toBuffer()),
  },
];

const greedy = { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 };

async function ask(api: InferenceApi, { read, question }: Check): Promise<{ text: string; done: Done }> {
  const request: GenerateRequest = {
    messages: [
      {
        role: "user",
        parts: [
          { type: "image", blob: new Blob([await read()]) },
          { type: "text", text: question },
        ],
      },
    ],
    sampling: greedy,
    maxNewTokens: 64,
    stop: [],
  };
  const events: GenerateEvent[] = [];
  await api.generate(request, (event) => void events.push(event));
  const done = events.at(-1);
  if (done?.type !== "done") throw new EngineError("internal", "the answer has no end");
  return { done, text: events.map((event) => (event.type === "text" ? event.text : "")).join("") };
}
type Done = Extract<GenerateEvent, { type: "done" }>;

async function verify(id: string, options: { readonly hub: string; readonly cache: string }): Promise<boolean> {
  const repository = repositoryOf(id);
  if (!/^[\w.-]+\/[\w.-]+$/.test(repository))
    throw new Error(`"${id}" is neither owner/name nor one of: ${zoo.map((record) => record.id).join(", ")}`);
  const hub = options.hub.endsWith("/") ? options.hub : `${options.hub}/`;
  const store = createFolderShardStore(resolve(options.cache, "shards"));
  const progress = createProgress(process.stderr);
  const source = { id: repository, baseUrl: `${hub}${repository}/resolve/main/` };
  const stored = await ensurePackage(
    source,
    { store, room: () => Promise.resolve(undefined) },
    { onProgress: ({ loaded, total }) => progress.update({ file: repository, written: loaded, total }) },
  ).catch((error: unknown) => {
    if (error instanceof EngineError && error.code === "network")
      throw new Error(`${new URL(hub).host} could not be reached: go online, or name a mirror with --hub`, {
        cause: error,
      });
    throw error;
  });
  progress.end();

  const place = placeInFolder(resolve(options.cache, repository));
  const api = createHubHost({ chooseDevice: chooseProcessor, place, decodeImage });
  const request = { model: source, package: stored, device: "auto", runtimeUrl: "" } as const;
  const { name, loadMs } = await api.load(request, () => undefined);
  process.stdout.write(`${name}: loaded in ${(loadMs / 1000).toFixed(1)} s on this machine's processor\n`);
  let right = 0;
  for (const check of checks) {
    const { text, done } = await ask(api, check);
    const { timings, usage } = done;
    const passed = check.words.test(text);
    if (passed) right++;
    const rate = ((usage.newTokens - 1) / Math.max(1e-3, timings.decodeMs / 1000)).toFixed(1);
    const first = (timings.firstTokenMs / 1000).toFixed(1);
    process.stdout.write(
      `${passed ? "right" : "WRONG"}  ${check.picture}: ${check.question} → ${text.trim()}  (first token after ${first} s, ${rate} tokens/s)\n`,
    );
  }
  await api.unload();
  process.stdout.write(`${right} of ${checks.length} right\n`);
  return right === checks.length;
}

const program = new Command("verify:hub")
  .description("Brings a model of the hub here and asks it about three pictures.")
  .argument("<id>", `a model of the zoo (${zoo.map((record) => record.id).join(", ")}) or owner/name`)
  .option("--hub <url>", "the hub, or a mirror of it", "https://huggingface.co/")
  .option("--cache <folder>", "where the files are kept", ".cache/hub")
  .action(async (id: string, options: { hub: string; cache: string }) => {
    if (!(await verify(id, options))) process.exitCode = 1;
  });

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`verify:hub: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode ??= 1;
}
