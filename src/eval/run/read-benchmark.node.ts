// Reads a benchmark's questions and pictures from disk, and names what is missing with where it comes from.
import { readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Benchmark, PictureRef, Question } from "#eval/benchmarks/benchmark.ts";
import { withoutMark } from "#eval/files/json-lines.ts";
import { dataRoots, findPath } from "#eval/files/data-folder.node.ts";
import { NotAnswered } from "./asker.ts";

export interface Places {
  readonly data?: string | undefined;
  readonly questions?: string | undefined;
  readonly images?: string | undefined;
  readonly split?: string | undefined;
  readonly allRounds: boolean;
}

export interface BenchmarkSource {
  readonly questions: readonly Question[];
  /** The folder that pictures' paths begin in; undefined where the question file holds them. */
  readonly pictures: string | undefined;
}

/** Finds and reads the questions; throws a sentence where they or the folder of pictures are missing. */
export async function readBenchmark(benchmark: Benchmark, places: Places): Promise<BenchmarkSource> {
  const split = places.split ?? benchmark.splits?.[0] ?? "";
  const roots = places.data === undefined ? [] : dataRoots(places.data, benchmark.folders);
  const file = places.questions ?? (await findPath(roots, benchmark.questions(split)));
  const [usual = ""] = benchmark.questions(split);
  if (file === undefined) throw new Error(`The questions of ${benchmark.title} are missing: there is no ${usual} in ${places.data ?? ""} or its ${benchmark.folders.join(" or ")}. ${benchmark.from}`); // prettier-ignore
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new Error(`The question file ${file} can't be read. Check its path.`, { cause });
  });
  let questions: Question[];
  try {
    questions = benchmark.parse(withoutMark(text), { split, allRounds: places.allRounds });
  } catch (cause) {
    throw new Error(`${file}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  if (questions.length === 0) throw new Error(`The question file ${file} holds no questions.`);
  if (!questions.some(({ picture }) => picture?.kind === "file")) return { questions, pictures: undefined };
  const pictures = places.images ?? (benchmark.pictures && (await findPath(roots, benchmark.pictures)));
  if (pictures === undefined)
    throw new Error(`The pictures of ${benchmark.title} are missing: there is no folder ${benchmark.pictures?.[0] ?? ""} in ${places.data ?? "the data folder"} or its ${benchmark.folders.join(" or ")}. ${benchmark.picturesFrom ?? ""} Or give their folder to --images.`); // prettier-ignore
  return { questions, pictures };
}

/** Pictures that a folder must hold one of, lest it be the wrong folder. */
const lookedAt = 20;

/** Reads questions' pictures; the last one is kept, because questions about one picture come together. */
export function pictureReader(
  benchmark: Benchmark,
  folder: string | undefined,
): {
  /** Throws a sentence where the folder has none of the first pictures. */
  readonly checkFirst: (questions: readonly Question[]) => Promise<void>;
  /** Rejects with NotAnswered where the picture is missing. */
  readonly read: (question: Question) => Promise<Blob | undefined>;
} {
  let last: { readonly key: string; readonly blob: Promise<Blob> } | undefined;
  const pathOf = (picture: Extract<PictureRef, { kind: "file" }>): string => join(folder ?? "", picture.path);
  return {
    async checkFirst(questions) {
      const paths = new Set<string>();
      for (const { picture } of questions) {
        if (picture?.kind === "file") paths.add(pathOf(picture));
        if (paths.size === lookedAt) break;
      }
      if (paths.size === 0) return;
      for (const path of paths) if (await stat(path).then(() => true, () => false)) return; // prettier-ignore
      const [first = ""] = paths;
      throw new Error(
        `None of the first ${paths.size} pictures of ${benchmark.title} is there, such as ${first}. ` +
          `${benchmark.picturesFrom ?? ""} Or give their folder to --images.`,
      );
    },
    read({ picture }) {
      if (!picture) return Promise.resolve(undefined);
      const key = picture.kind === "file" ? pathOf(picture) : picture.base64;
      if (last?.key !== key) {
        const blob =
          picture.kind === "file" ? readPicture(key) : Promise.resolve(new Blob([Buffer.from(key, "base64")]));
        last = { key, blob };
      }
      return last.blob;
    },
  };
}

async function readPicture(path: string): Promise<Blob> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new NotAnswered(`missing picture: ${basename(path)} is not at ${path}`, { cause });
  });
  return new Blob([new Uint8Array(bytes)]);
}
