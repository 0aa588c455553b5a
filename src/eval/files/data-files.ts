// The files of a benchmark, wherever they are kept: scorers and readers of questions ask for them by LLaVA's names. Knows no file system.
import * as v from "valibot";
import { parseJson } from "#formats/json.ts";
import { parseJsonLines, withoutMark } from "./json-lines.ts";
import { count, isAre } from "./problems.ts";

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

/** A labels' file that is one JSON value. Throws a sentence with what it lacks where it has another form. */
export function readLabelFile<T extends v.GenericSchema>(
  schema: T,
  { path, text }: { readonly path: string; readonly text: string },
): v.InferOutput<T> {
  const value = parseJson(withoutMark(text));
  if (value === undefined) throw new Error(`${path} is no JSON, or is cut off. Fetch it again.`);
  const parsed = v.safeParse(schema, value);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw new Error(
    `${path} has another form than expected, first at ${v.getDotPath(issue) ?? "its beginning"}. Is it the benchmark's own file?`,
  );
}

/** Labels of a file of JSON lines. Throws a sentence with counts where lines are damaged or of another form: labels left out would move figures. */
export function readLabelLines<T extends v.GenericSchema>(
  schema: T,
  { path, text }: { readonly path: string; readonly text: string },
): v.InferOutput<T>[] {
  const { rows, broken, cut } = parseJsonLines(text);
  const parsed = rows.map(({ value, line }) => ({ line, ...v.safeParse(schema, value) }));
  const strange = [...broken, ...parsed.flatMap(({ success, line }) => (success ? [] : [line]))].sort((a, b) => a - b);
  if (cut) throw new Error(`The last line of ${path} is cut off. Fetch the file again.`);
  if (strange.length > 0)
    throw new Error(
      `${count(strange.length, "line")} of ${(rows.length + broken.length).toLocaleString("en")} in ${path} ${isAre(strange.length)} damaged or of another form (the first is line ${strange[0] ?? 0}). Is it the benchmark's own file?`,
    );
  return parsed.flatMap(({ success, output }) => (success ? [output] : []));
}
