// Examples for `llava teach`: LLaVA's own JSON or lines of it with pictures beside it, or a folder with a folder per answer.
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Message } from "#engine/types.ts";
import type { TaughtTurn, TeachExample } from "#teach/types.ts";
import { readCalibration } from "#cli/convert/calibration-file.ts";

const pictureFile = /\.(?:jpe?g|png|webp|gif|bmp|avif|tiff?)$/i;

/** Reads all examples; throws a sentence with the next step where there is none. Notes are about what was left out. */
export async function readExamples(
  path: string,
  question: string,
): Promise<{ readonly examples: readonly TeachExample[]; readonly notes: readonly string[] }> {
  const found = await stat(path).catch(() => undefined);
  if (!found)
    throw new Error(`there is no ${path}; name a JSON file of conversations, or a folder with a folder per answer`);
  return found.isDirectory() ? { examples: await fromFolders(path, question), notes: [] } : fromFile(path);
}

/** The name of each folder is the answer to the question. */
async function fromFolders(path: string, question: string): Promise<TeachExample[]> {
  const examples: TeachExample[] = [];
  const folders = (await readdir(path, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  for (const { name } of folders.sort((a, b) => a.name.localeCompare(b.name))) {
    const files = (await readdir(join(path, name))).filter((file) => pictureFile.test(file));
    for (const file of files.sort()) {
      const picture = new Blob([await readFile(join(path, name, file))]);
      examples.push({ id: `${name}/${file}`, picture, turns: [{ question, answer: name }] });
    }
  }
  if (examples.length > 0) return examples;
  throw new Error(`${path} holds no folders with pictures; make a folder per answer, named as the answer, and put its pictures there`); // prettier-ignore
}

async function fromFile(path: string): Promise<{ examples: TeachExample[]; notes: readonly string[] }> {
  const calibration = await readCalibration(path);
  const examples: TeachExample[] = [];
  let without = 0;
  for await (const entry of calibration.entries()) {
    const all = await entry.messages();
    const pictures = all.flatMap(({ parts }) => parts.flatMap((part) => (part.type === "image" ? [part.blob] : [])));
    const turns = turnsOf(all);
    const [picture] = pictures;
    if (picture && pictures.length === 1 && turns.length > 0) examples.push({ id: entry.name, picture, turns });
    else without++;
  }
  if (examples.length === 0) throw new Error(`${path} holds no conversation about one picture; give each entry an "image" and an answer`); // prettier-ignore
  const left = without === 0 ? [] : [`${without} conversations left out: they are not about one picture`];
  return { examples, notes: [...calibration.notes, ...left] };
}

function turnsOf(messages: readonly Message[]): TaughtTurn[] {
  const spoken = messages.filter(({ role }) => role !== "system");
  const textOf = (message: Message | undefined): string =>
    message?.parts
      .map((part) => (part.type === "text" ? part.text : ""))
      .join("")
      .trim() ?? "";
  const turns: TaughtTurn[] = [];
  for (let i = 0; i + 1 < spoken.length; i += 2) {
    turns.push({ question: textOf(spoken[i]), answer: textOf(spoken[i + 1]) });
  }
  return turns;
}
