// Writes a file to hand in: text as it is, a table as xlsx; several files under names that begin alike, or in a folder.
import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import writeExcelFile from "write-excel-file/node";
import type { Submission } from "./submissions.ts";

/** Writes the file beside its place and moves it there, so that none is half written. */
export async function writeSubmission(submission: Submission, file: string): Promise<void> {
  const parts =
    submission.kind === "files"
      ? submission.files.map(({ suffix, text }) => ({ path: file + suffix, content: text }))
      : [{ path: file, content: submission.kind === "text" ? submission.text : await workbook(submission.rows) }];
  for (const { path, content } of parts) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(`${path}.new`, content);
    await rename(`${path}.new`, path);
  }
}

async function workbook(rows: Extract<Submission, { kind: "table" }>["rows"]): Promise<Buffer> {
  const cells = rows.map((row) => row.map((value) => (value === undefined ? null : { value })));
  return writeExcelFile(cells, { sheet: "Sheet1" }).toBuffer();
}
