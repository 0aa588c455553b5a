// How fast a checkpoint of LLaVA-1.5-7B's shapes becomes a package while it arrives from a hub on the same machine, beside the network alone and the
// command line on a folder, and how much memory that takes.
//   npm run bench -- road [--layers 2] [--turns 2] [--folder /somewhere/with/space] [--hub-only] [--page [--until 100] [--dist dist-test]]
// --hub-only leaves the folder and the network out, and with them the checkpoint on the disk; --page converts in the built page, in Chromium, all or the
// first so many percent.
import { execFile } from "node:child_process";
import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { noiseCheckpoint, noiseContent, range } from "./noise-checkpoint.ts";
import { commit, processorSeconds, repository, startNoiseHub } from "./noise-hub.ts";
import { convertInPage } from "./road-page.ts";

const { values: flags } = parseArgs({
  options: {
    layers: { type: "string", default: "2" },
    turns: { type: "string", default: "2" },
    folder: { type: "string" },
    dist: { type: "string", default: "dist-test" },
    "hub-only": { type: "boolean", default: false },
    page: { type: "boolean", default: false },
    until: { type: "string", default: "100" },
  },
});
const layers = Number(flags.layers);
const { weights, small, weightBytes } = noiseCheckpoint(layers);

/** The files by ranges of 8 MiB, four at a time, read and thrown away: what the network alone takes. */
async function fetchAll(hub: string): Promise<void> {
  const jobs = weights.flatMap(({ name, bytes }) =>
    range(Math.ceil(bytes / 2 ** 23)).map((i) => [name, i * 2 ** 23, Math.min(bytes, (i + 1) * 2 ** 23)] as const),
  );
  const work = async (): Promise<void> => {
    for (let job = jobs.shift(); job; job = jobs.shift()) {
      const [name, from, to] = job;
      const headers = { range: `bytes=${from}-${to - 1}` };
      const { body } = await fetch(`${hub}${repository}/resolve/${commit}/${name}`, { headers });
      const reader = body?.getReader();
      while ((await reader?.read())?.done === false);
    }
  };
  await Promise.all(range(4).map(work));
}

interface Run {
  readonly seconds: number;
  /** Seconds of all processors. */
  readonly processor: number;
  /** The most memory that it had. */
  readonly megabytes: number;
}

/** Runs the command line. */
function convert(from: string, out: string, hub: string): Promise<Run> {
  const began = performance.now();
  const parameters = ["-f", "%M %U %S", process.execPath, "--single-threaded-gc", "scripts/run.mjs", "src/cli/main.ts", "convert", from, out, "--no-self-test"]; // prettier-ignore
  return new Promise((resolve, reject) => {
    execFile("/usr/bin/time", parameters, { env: { ...process.env, HF_ENDPOINT: hub } }, (error, _, err) => {
      const seconds = (performance.now() - began) / 1000;
      const [kilobytes = 0, user = 0, system = 0] = (err.trimEnd().split("\n").at(-1) ?? "").split(" ").map(Number);
      if (error) reject(new Error(err, { cause: error }));
      else resolve({ seconds, processor: user + system, megabytes: kilobytes / 1000 });
    });
  });
}

async function writeFolder(checkpoint: string): Promise<void> {
  await mkdir(checkpoint);
  for (const [name, bytes] of small) await writeFile(join(checkpoint, name), bytes);
  for (const file of weights) {
    const out = createWriteStream(join(checkpoint, file.name));
    for (const run of noiseContent(file, 0, file.bytes)) if (!out.write(run)) await once(out, "drain");
    out.end();
    await once(out, "close");
  }
}

const rate = (seconds: number): string => `${(weightBytes / 1e6 / seconds).toFixed(0)} MB/s`;
const each = (seconds: number): string => `${((seconds / weightBytes) * 1e9).toFixed(1)} s`;
const memory = ({ megabytes }: Run): string => `${megabytes.toFixed(0)} MB at most`;

const folder = await mkdtemp(join(flags.folder ?? tmpdir(), "llava-road-"));
const hub = await startNoiseHub(layers);
try {
  console.log(`${layers} layers, ${(weightBytes / 1e9).toFixed(2)} GB`);
  if (flags.page) {
    const profile = join(folder, "profile");
    await convertInPage({ hub: hub.url, dist: flags.dist, profile, weightBytes, until: Number(flags.until) });
  } else if (flags["hub-only"]) {
    const run = await convert(repository, join(folder, "hub"), hub.url);
    console.log(`the hub ${rate(run.seconds)}, ${memory(run)}; processor time per GB ${each(run.processor)}`);
  } else {
    const checkpoint = join(folder, "checkpoint");
    await writeFolder(checkpoint);
    for (const turn of range(Number(flags.turns))) {
      const [began, used, served] = [performance.now(), processorSeconds(), await hub.processorSeconds()];
      await fetchAll(hub.url);
      const network = (performance.now() - began) / 1000;
      const [fetching, serving] = [processorSeconds() - used, (await hub.processorSeconds()) - served];
      const local = await convert(checkpoint, join(folder, `folder-${turn}`), hub.url);
      const before = await hub.processorSeconds();
      const streamed = await convert(repository, join(folder, `hub-${turn}`), hub.url);
      const servingHub = (await hub.processorSeconds()) - before;
      const share = (Math.max(network, local.seconds) / streamed.seconds) * 100;
      console.log(
        `network alone ${rate(network)}; a folder ${rate(local.seconds)}, ${memory(local)}; ` +
          `the hub ${rate(streamed.seconds)}, ${memory(streamed)}: ${share.toFixed(0)} % of the slower`,
      );
      console.log(
        `processor time per GB: network ${each(fetching)} and ${each(serving)} of the server; a folder ${each(local.processor)}; ` +
          `the hub ${each(streamed.processor)} and ${each(servingHub)} of the server`,
      );
    }
  }
} finally {
  hub.stop();
  await rm(folder, { recursive: true, force: true });
}
