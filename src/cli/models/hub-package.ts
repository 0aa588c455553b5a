// The package of a model of a hub for `llava chat`: made on first use, and kept with the packages of this program.
import { access } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { rangesWhenAsked } from "#convert/places/range-reader.ts";
import { rangeThread } from "#convert/places/range-thread.node.ts";
import { renderChatThread, tokenizerThread } from "#convert/text/limited-thread.node.ts";
import { manifestName } from "#weights/manifest.ts";
import { convertFromHub } from "./convert-hub.ts";
import { findCheckpoint } from "./hub-place.ts";
import { recordSelfTest } from "./self-test.ts";
import { ignoreSignals, stopOnSignals } from "#cli/terminal/stop.ts";

/** The package's folder. A conversion that was ended early is gone on with. */
export async function hubPackage(model: string, revision: string | undefined): Promise<string> {
  const folder = join(
    packagesFolder(),
    model.replace("/", "--").replace(":", "--") + (revision === undefined ? "" : `@${revision.replaceAll("/", "--")}`),
  );
  const isThere = await access(join(folder, manifestName)).then(
    () => true,
    () => false,
  );
  if (isThere) return folder;
  const signal = stopOnSignals("stopped; what is finished stays, and the same command goes on with it");
  const ranges = rangesWhenAsked(rangeThread);
  try {
    const found = await findCheckpoint(model, "a model", revision, { signal, ranges });
    process.stderr.write(`${model} is fetched and converted once, into ${folder}\n`);
    await convertFromHub(found, folder, {
      bits: { vision: 8, embed: 4, decoder: 4 },
      renderChat: renderChatThread(),
      tryTokenizer: tokenizerThread(),
      selfTest: recordSelfTest,
      signal,
      force: false,
      inputs: [],
    });
  } finally {
    await ranges.end();
  }
  // The conversation listens for Ctrl+C itself.
  ignoreSignals();
  return folder;
}

/** LLAVA_HOME, or this program's folder in the user's cache. */
function packagesFolder(): string {
  const { env } = process;
  return env["LLAVA_HOME"] ?? join(env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "llava-web", "packages");
}
