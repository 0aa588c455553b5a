// The process that process-asker.node.ts starts: loads a package and answers questions, one at a time, until its parent is gone.
import "#engine/runtime/no-telemetry.node.ts";
import { openPackage } from "#eval/open-package.ts";
import { NotAnswered } from "./asker.ts";
import { engineAsker } from "./engine-asker.ts";
import type { Said, SentQuestion } from "./process-asker.node.ts";

const [threads = "1", folder = "", adapter] = process.argv.slice(2);
const say = (said: Said): void => void process.send?.(said);
// The parent stops the work and then lets go of this process.
process.on("SIGINT", () => undefined);
process.on("disconnect", () => process.exit());

try {
  const asker = engineAsker(await openPackage(folder, adapter, { threads: Number(threads) }));
  const never = new AbortController().signal;
  process.on("message", ({ picture, ...question }: SentQuestion) => {
    const blob = picture && new Blob([new Uint8Array(picture)]);
    asker.ask({ ...question, picture: blob }, never).then(
      (text) => say({ type: "answer", text }),
      (error: unknown) =>
        say({ type: error instanceof NotAnswered ? "not-answered" : "failed", reason: messageOf(error) }),
    );
  });
  say({ type: "ready" });
} catch (error) {
  say({ type: "failed", reason: messageOf(error) });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
