// The entry of the import's worker: a file that takes long to read, or crashes its reader, does so here, where the page can end it.
import { importEach } from "./import.ts";
import type { ImportReply, ImportRequest } from "./import-wire.ts";
import { newId } from "#chat/new-id.ts";
import { openPicture } from "#chat/pictures/pictures.web.ts";

const reply = (message: ImportReply): void => postMessage(message);
let taken = (): void => undefined;

async function run(files: readonly File[], now: number): Promise<void> {
  const reading = importEach(files, { newId, now, openPicture });
  for (;;) {
    const { done, value } = await reading.next();
    if (done === true) return reply({ kind: "end", ...value });
    const next = new Promise<void>((resolve) => (taken = resolve));
    reply({ kind: "conversation", conversation: value });
    await next;
  }
}

addEventListener("message", ({ data }: MessageEvent<ImportRequest>) => {
  if (data === "next") return taken();
  run(data.files, data.now).catch((error: unknown) => reply({ kind: "failed", message: String(error) }));
});
