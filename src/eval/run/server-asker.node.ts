// Asks a server that speaks OpenAI's protocol. A request that fails on its way is repeated a few times.
import sharp from "sharp";
import type { Part } from "#engine/types.ts";
import { generateRemote } from "#remote/generate.ts";
import { RemoteError } from "#remote/http/errors.ts";
import type { Server, ServerModel } from "#remote/http/server.ts";
import { hasNoList, listModels } from "#remote/models.ts";
import { greedy, NotAnswered, type Asker } from "./asker.ts";

/** Waits before the second, third … try of a request. */
const defaultWaitsMs: readonly number[] = [1000, 4000, 15_000];

/** The model of that name as the server lists it; throws a sentence with what it offers where it has none. */
export async function serverModel(server: Server, name: string): Promise<ServerModel> {
  const offered = await listModels(server).catch((error: unknown) => {
    if (hasNoList(error)) return [];
    throw error;
  });
  const found = offered.find(({ id }) => id === name);
  if (found) return found;
  if (offered.length === 0) return { id: name, kind: "other", typed: true };
  const names = offered.map(({ id }) => id).join(", ");
  throw new Error(`The server at ${server.url} has no model "${name}". It has: ${names}. Name one after the address, as ${server.url}#${offered[0]?.id ?? ""}.`); // prettier-ignore
}

/** An asker of one model. Any number of them may ask one server at once. */
export function serverAsker(server: Server, model: ServerModel, waitsMs = defaultWaitsMs): Asker {
  return {
    async ask({ text, picture, maxNewTokens }, signal) {
      const parts: Part[] = [...(picture ? [{ type: "image", blob: picture } as const] : []), { type: "text", text }];
      const request = { messages: [{ role: "user", parts } as const], sampling: greedy, maxNewTokens, stop: [] };
      for (let tries = 0; ; tries++) {
        try {
          let answer = "";
          for await (const event of generateRemote(server, model, request, signal, encodePicture))
            if (event.type === "text") answer += event.text;
          signal.throwIfAborted();
          return answer.trim();
        } catch (error) {
          signal.throwIfAborted();
          const waitMs = waitsMs[tries];
          if (error instanceof NotAnswered || waitMs === undefined || !isPassing(error)) throw error;
          await pause(waitMs, signal);
        }
      }
    },
    close: () => Promise.resolve(),
  };
}

/** Whether a later try may go better. */
function isPassing(error: unknown): boolean {
  return error instanceof RemoteError && !/key|address|insecure|not-found|model-gone|redirect/.test(error.code);
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => (clearTimeout(timer), reject(signal.reason as Error)), { once: true });
  });
}

/** JPEG and PNG that stand upright are sent as they are, so that the server sees the same pixels; others as PNG. */
async function encodePicture(blob: Blob): Promise<Blob> {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  try {
    const { format, orientation = 1 } = await sharp(bytes).metadata();
    if ((format === "jpeg" || format === "png") && orientation === 1)
      return new Blob([bytes], { type: `image/${format}` });
    const png = await sharp(bytes).rotate().png().toBuffer();
    return new Blob([new Uint8Array(png)], { type: "image/png" });
  } catch (error) {
    throw new NotAnswered(`bad-image: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
