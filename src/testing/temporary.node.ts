// For tests: a folder that goes when the tests are over, the files in it, and the command line run as a user would.
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));

export interface TemporaryFolder {
  readonly path: string;
  /** Writes a file, with the folders that it is in, and returns its path; what is no text and no bytes is written as JSON. */
  write(name: string, content: unknown): string;
  remove(): void;
}

export function temporaryFolder(): TemporaryFolder {
  const path = mkdtempSync(join(tmpdir(), "llava-test-"));
  return {
    path,
    write(name, content) {
      const file = join(path, name);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, typeof content === "string" || content instanceof Uint8Array ? content : JSON.stringify(content)); // prettier-ignore
      return file;
    },
    remove: () => rmSync(path, { recursive: true }),
  };
}

/** Runs the `llava` command; what it prints and how it ends. */
export function llava(
  ...parameters: string[]
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ["scripts/run.mjs", "src/cli/main.ts", ...parameters],
      { cwd: root },
      (_, out, err) => resolve({ code: child.exitCode ?? -1, out, err }),
    );
    // A chat would wait for the next question.
    child.stdin?.end();
  });
}
