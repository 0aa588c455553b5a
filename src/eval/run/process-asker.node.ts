// Asks an engine in a process of its own, so that several answer at once on one machine.
import { fork, type ChildProcess } from "node:child_process";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import * as v from "valibot";
import { NotAnswered, type Asked, type Asker } from "./asker.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** What the process is sent. */
export interface SentQuestion extends Omit<Asked, "picture"> {
  readonly picture?: Uint8Array | undefined;
}

/** What it says. */
export const Said = v.variant("type", [
  v.object({ type: v.literal("ready") }),
  v.object({ type: v.literal("answer"), text: v.string() }),
  v.object({ type: v.literal("not-answered"), reason: v.string() }),
  v.object({ type: v.literal("failed"), reason: v.string() }),
]);
export type Said = v.InferOutput<typeof Said>;

/** Starts a process with the package in `folder`, and the adapter in another, on `threads` threads. Rejects where they can't be loaded. */
export async function processAsker(folder: string, threads: number, adapter?: string): Promise<Asker> {
  const entry = fileURLToPath(new URL("./answer-process.node.ts", import.meta.url));
  const folders = [folder, ...(adapter === undefined ? [] : [adapter])].map((path) => resolve(path));
  const child = fork("scripts/run.mjs", [entry, String(threads), ...folders], {
    cwd: root,
    // Pictures cross as bytes.
    serialization: "advanced",
  });
  // A stop is told to this process, which lets its children finish; the terminal sends it to all.
  await next(child, "loading the model");
  return {
    async ask({ picture, ...question }, signal) {
      signal.throwIfAborted();
      const sent: SentQuestion = { ...question, picture: picture && new Uint8Array(await picture.arrayBuffer()) };
      child.send(sent);
      const said = await next(child, "answering");
      signal.throwIfAborted();
      if (said.type === "not-answered") throw new NotAnswered(said.reason);
      return said.type === "answer" ? said.text : "";
    },
    close: () =>
      new Promise((resolve) => {
        if (child.exitCode !== null || child.signalCode !== null) {
          resolve();
          return;
        }
        child.once("exit", () => resolve());
        child.disconnect();
      }),
  };
}

/** The process's next message; rejects where it says that it failed, or ends. */
function next(child: ChildProcess, doing: string): Promise<Said> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      child.off("message", onMessage);
      child.off("exit", onExit);
    };
    const onMessage = (message: unknown): void => {
      done();
      const said = v.parse(Said, message);
      if (said.type === "failed") reject(new Error(said.reason));
      else resolve(said);
    };
    const onExit = (code: number | null, signal: string | null): void => {
      done();
      reject(
        new Error(
          `A worker ended while ${doing} (${signal ?? `exit code ${code ?? 0}`}). Too many --workers for this machine's memory?`,
        ),
      );
    };
    child.on("message", onMessage);
    child.on("exit", onExit);
  });
}
