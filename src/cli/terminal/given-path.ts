// Paths as people give them: typed, dropped on a terminal, which quotes and escapes in its own way, or copied from a browser. And what to
// say where nothing is at a path.
import { readdir, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { whatFileIs } from "#convert/package/folder.node.ts";

/** The existing file or folder that the text means: itself first, then without what terminals add. Undefined where there is none. */
export async function givenPath(text: string): Promise<string | undefined> {
  for (const path of readings(text)) if (await exists(path)) return path;
  return undefined;
}

/** All the files that a line names, where it names several as a drop of several does; undefined where one of them is not there. */
export async function givenPaths(line: string): Promise<string[] | undefined> {
  const one = await givenPath(line);
  if (one !== undefined) return [one];
  const paths = await Promise.all(shellWords(line).map(givenPath));
  return paths.length > 0 && paths.every((path) => path !== undefined) ? paths : undefined;
}

async function exists(path: string): Promise<boolean> {
  return (
    path !== "" &&
    !path.includes("\0") &&
    (await stat(path).then(
      () => true,
      () => false,
    ))
  );
}

function readings(text: string): string[] {
  const trimmed = text.trim().replace(/^& (?=['"])/, ""); // PowerShell writes & before a quoted path.
  const unquoted = /^(['"])(.*)\1$/s.exec(trimmed)?.[2] ?? trimmed;
  const words = shellWords(trimmed);
  const all = [text, trimmed, unquoted, ...(words.length === 1 ? words : [])];
  return all
    .flatMap((reading) => [reading, fromAddress(reading), fromHome(reading)])
    .filter((path) => path !== undefined);
}

/** The path of a file:// address, also of one that is not escaped as it should be. */
function fromAddress(text: string): string | undefined {
  if (!/^file:/i.test(text)) return undefined;
  try {
    return fileURLToPath(text.replaceAll("#", "%23").replaceAll("?", "%3F"));
  } catch {
    return text.replace(/^file:(\/\/(localhost)?(?=\/))?/i, "");
  }
}

const fromHome = (text: string): string | undefined => (/^~[/\\]/.test(text) ? homedir() + text.slice(1) : undefined);

/** Splits at spaces that are neither quoted nor escaped, and takes quotes and escapes away, as a shell does. */
function shellWords(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  for (let i = 0; i < line.length; i++) {
    const character = line[i] ?? "";
    if (character === "'" || character === '"') {
      const end = line.indexOf(character, i + 1);
      if (end < 0) return [];
      word = (word ?? "") + line.slice(i + 1, end);
      i = end;
    } else if (character === "\\") {
      word = (word ?? "") + (line[++i] ?? "");
    } else if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? "") + character;
    }
  }
  return word === undefined ? words : [...words, word];
}

/** The folder that the text names; throws a sentence with the next step where there is none. `what` is what it should hold. */
export async function givenFolder(text: string, what: string): Promise<string> {
  const path = await givenPath(text);
  if (path !== undefined && (await stat(path)).isDirectory()) return path;
  if (path !== undefined)
    throw new Error(
      whatFileIs(text) ?? `${text} is a file; give the folder of ${what}, which holds config.json beside the weights`,
    );
  const id = hubId(text);
  if (id !== undefined) {
    const folder = id.split("/").at(-1) ?? id;
    throw new Error(
      `${text} is no folder here, but looks like a model's id on a hub, and nothing is downloaded from there by itself. ` +
        `Download it first, for instance with \`hf download ${id} --local-dir ${folder}\`, then give the folder ${folder}`,
    );
  }
  const similar = await similarName(text);
  throw new Error(
    `there is no folder at ${text}; ${similar === undefined ? "check its path" : `did you mean ${similar}?`}`,
  );
}

/** "owner/name" of what can be nothing else than an id or an address on a hub. */
function hubId(text: string): string | undefined {
  const address =
    /^(?:https?:\/\/)?(?:www\.)?(?:huggingface\.co|hf\.co|hf-mirror\.com|modelscope\.cn\/models)\/([\w.-]+\/[\w.-]+)/i;
  const id = address.exec(text.trim())?.[1] ?? /^hf:\/\/(?:models\/)?([\w.-]+\/[\w.-]+)/i.exec(text.trim())?.[1];
  if (id !== undefined) return id;
  return /^(?!\.{1,2}\/)[\w.-]+\/[\w.-]+$/.test(text.trim()) ? text.trim() : undefined;
}

/** A neighbour whose name differs in a letter or two, or in case. */
async function similarName(text: string): Promise<string | undefined> {
  const whole = resolve(text.trim());
  const names = await readdir(dirname(whole)).catch(() => []);
  const wanted = basename(whole).toLowerCase();
  const [best] = names
    .map((name) => ({ name, distance: editDistance(name.toLowerCase(), wanted) }))
    .filter(({ name, distance }) => distance <= Math.min(2, Math.floor(name.length / 3)))
    .sort((a, b) => a.distance - b.distance);
  return best && resolve(dirname(whole), best.name);
}

/** How many letters have to be changed, left out or put in. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
