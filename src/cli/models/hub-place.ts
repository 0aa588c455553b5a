// Models named as on a hub, `owner/name`, or `owner/name:Q4_K_M` for one of several in GGUF: whether a text is one, and the settings that the field's tools share (HF_ENDPOINT, HF_TOKEN,
// HF_HUB_OFFLINE, HF_HOME and its relatives). Fetches nothing itself.
import { readFile, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { EngineError } from "#engine/errors.ts";
import { checkpointFolder } from "#convert/package/folder.node.ts";
import { GatedError, openHubFolder } from "#convert/places/hub-folder.ts";
import type { PlaceOptions } from "#convert/places/remote-file.ts";
import type { CheckpointFolder } from "#convert/checkpoint/folders.ts";
import { hubGguf } from "./gguf-files.ts";
import { givenFolder, givenPath } from "#cli/terminal/given-path.ts";

/** A checkpoint, wherever it lies. */
export interface FoundCheckpoint {
  readonly folder: CheckpointFolder;
  /** Its path, where it lies on this machine. */
  readonly path: string | undefined;
  /** Which of its GGUF files, where it holds several models. */
  readonly gguf: readonly string[] | undefined;
  /** Of one on a hub. */
  readonly hub: { readonly repository: string; readonly commit: string; readonly license: string } | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The repository, and what stands after a colon, as in llama.cpp; undefined for texts that are no name on a hub. */
function namedOnHub(
  text: string,
): { readonly repository: string; readonly quantization: string | undefined } | undefined {
  const [, repository, quantization] = /^([\w-][\w.-]*\/[\w-][\w.-]*)(?::([\w.-]+))?$/.exec(text) ?? [];
  return repository === undefined ? undefined : { repository, quantization };
}

/** Whether the text names a model of a hub: no file or folder of that name is here. */
export async function isHubId(text: string): Promise<boolean> {
  return namedOnHub(text) !== undefined && (await givenPath(text)) === undefined;
}

/** The folder of that path, or the hub's repository of that name; `what` names it in sentences. */
export async function findCheckpoint(
  text: string,
  what: string,
  revision: string | undefined,
  how: Pick<PlaceOptions, "signal" | "ranges">,
  environment: Environment = process.env,
): Promise<FoundCheckpoint> {
  const named = (await isHubId(text)) ? namedOnHub(text) : undefined;
  if (named === undefined) {
    if (revision !== undefined)
      throw new Error(`--revision is for models of a hub (owner/name), and ${text} is a path`);
    const path = await givenFolder(text, what);
    return { folder: checkpointFolder(path), path, gguf: undefined, hub: undefined };
  }
  const { repository, quantization } = named;
  const wanted = revision ?? "main";
  if (isOn(environment["HF_HUB_OFFLINE"])) {
    const path = await cachedSnapshot(repository, wanted, environment);
    if (path !== undefined) {
      const folder = checkpointFolder(path);
      return { folder, path, gguf: await hubGguf(folder, repository, quantization), hub: undefined };
    }
    throw new Error(
      `${repository} is not in the hub's cache of this machine, and HF_HUB_OFFLINE is set; take it away, or give a folder`,
    );
  }
  const host = `${(environment["HF_ENDPOINT"] ?? "https://huggingface.co").replace(/\/+$/, "")}/`;
  if (!/^https?:\/\//.test(host)) throw new Error(`HF_ENDPOINT is ${host}, and has to begin with https://`);
  try {
    const token = await hubToken(environment);
    const { folder, commit, license } = await openHubFolder({ host, repository, revision: wanted }, token, how);
    const gguf = await hubGguf(folder, repository, quantization);
    return { folder: withSentences(folder), path: undefined, gguf, hub: { repository: text, commit, license } };
  } catch (error) {
    if (error instanceof EngineError && error.code === "network")
      throw new Error(
        `${new URL(host).host} could not be reached: go online, or name a mirror of the hub with HF_ENDPOINT`,
        { cause: error },
      );
    throw sentenceOf(error);
  }
}

/** The folder, whose reads fail with a sentence where the hub refuses a file. */
function withSentences(folder: CheckpointFolder): CheckpointFolder {
  const told = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw sentenceOf(error);
    });
  return {
    ...folder,
    async open(path) {
      const file = await told(folder.open(path));
      return file && { ...file, read: (...asked) => told(file.read(...asked)) };
    },
  };
}

function sentenceOf(error: unknown): unknown {
  if (!(error instanceof GatedError)) return error;
  const next =
    error.status === 401
      ? "set HF_TOKEN to your access token (or check its name: the hub answers alike for models that do not exist)"
      : `accept its terms at ${error.page} with the account of your token`;
  return new Error(`${error.page} is not open to everyone; ${next}`, { cause: error });
}

const isOn = (value: string | undefined): boolean => /^(1|on|yes|true)$/i.test(value ?? "");
const hubHome = (environment: Environment): string =>
  environment["HF_HOME"] ?? join(environment["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "huggingface");

/** HF_TOKEN, or what `hf auth login` left; undefined where there is none, or where it must not be sent. */
async function hubToken(environment: Environment): Promise<string | undefined> {
  const given = environment["HF_TOKEN"] ?? environment["HUGGING_FACE_HUB_TOKEN"];
  if (given !== undefined && given.trim() !== "") return given.trim();
  if (isOn(environment["HF_HUB_DISABLE_IMPLICIT_TOKEN"])) return undefined;
  const file = environment["HF_TOKEN_PATH"] ?? join(hubHome(environment), "token");
  const text = await readFile(file, "utf8").catch(() => "");
  return text.trim() === "" ? undefined : text.trim();
}

/** The folder of a revision in the cache that the hub's own tools keep. */
async function cachedSnapshot(
  repository: string,
  revision: string,
  environment: Environment,
): Promise<string | undefined> {
  const cache = environment["HF_HUB_CACHE"] ?? join(hubHome(environment), "hub");
  const root = join(cache, `models--${repository.replace("/", "--")}`);
  const commit = await readFile(join(root, "refs", revision), "utf8").catch(() => revision);
  const folder = join(root, "snapshots", commit.trim());
  const found = await stat(folder).catch(() => undefined);
  return found?.isDirectory() === true ? folder : undefined;
}
