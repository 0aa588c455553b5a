// The files of a benchmark, wherever they are kept: scorers and readers of questions ask for them by LLaVA's names. Knows no file system.

/** A folder that holds a benchmark's files. */
export interface DataFiles {
  /** The text of the first of these paths that is there, and that path; undefined where none is. */
  find(paths: readonly string[]): Promise<{ readonly path: string; readonly text: string } | undefined>;
  /** Names in a folder, sorted; undefined where there is no such folder. */
  list(folder: string): Promise<readonly string[] | undefined>;
  /** The folder as people know it, for messages. */
  readonly name: string;
}

/** The text of one of the files; throws a sentence that says what is missing and where it comes from. */
export async function need(
  data: DataFiles,
  paths: readonly string[],
  what: string,
  from: string,
): Promise<{ readonly path: string; readonly text: string }> {
  const found = await data.find(paths);
  if (found) return found;
  throw new Error(`${what} are missing: there is no ${paths[0] ?? ""} in ${data.name}. ${from}`);
}

/** Where LLaVA's own question files and published answers come from. */
export const fromEvalZip = "It comes with eval.zip, which LLaVA's docs/Evaluation.md links to.";
