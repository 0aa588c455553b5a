// Asks whatever yields the engine's events: an engine in this process, or a worker of the page.
import { errorCodeOf } from "#engine/errors.ts";
import type { GenerateEvent, GenerateRequest, Part } from "#engine/types.ts";
import { greedy, NotAnswered, type Asker } from "./asker.ts";

/** Codes of failures that are of one question alone. */
const ofOneQuestion: ReadonlySet<string> = new Set(["bad-image", "bad-input", "context-full"]);

/** What is asked. */
interface Answering {
  generate(request: GenerateRequest, signal: AbortSignal): AsyncIterable<GenerateEvent>;
  dispose(): Promise<void> | void;
}

/** An asker that owns the engine. */
export function engineAsker(engine: Answering): Asker {
  return {
    async ask({ text, picture, maxNewTokens, imageMode }, signal) {
      const parts: Part[] = [...(picture ? [{ type: "image", blob: picture } as const] : []), { type: "text", text }];
      const request = {
        messages: [{ role: "user", parts } as const],
        sampling: greedy,
        maxNewTokens,
        stop: [],
        ...(imageMode === undefined ? {} : { imageMode }),
      };
      let answer = "";
      try {
        for await (const event of engine.generate(request, signal)) if (event.type === "text") answer += event.text;
      } catch (error) {
        const code = errorCodeOf(error);
        if (!ofOneQuestion.has(code)) throw error;
        throw new NotAnswered(`${code}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
      }
      signal.throwIfAborted();
      return answer.trim();
    },
    close: () => Promise.resolve(engine.dispose()),
  };
}
