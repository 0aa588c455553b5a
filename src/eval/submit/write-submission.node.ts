// Writes a file to hand in: text as it is, a table as xlsx.
import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import writeExcelFile from "write-excel-file/node";
import type { Submission } from "./submissions.ts";

/** Writes the file beside its place and moves it there, so that none is half written. */
export async function writeSubmission(submission: Submission, file: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const temporary = `${file}.new`;
  if (submission.kind === "text") await writeFile(temporary, submission.text);
  else {
    const rows = submission.rows.map((row) => row.map((value) => (value === undefined ? null : { value })));
    await writeFile(temporary, await writeExcelFile(rows, { sheet: "Sheet1" }).toBuffer());
  }
  await rename(temporary, file);
}
