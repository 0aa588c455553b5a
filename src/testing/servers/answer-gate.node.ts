// For tests: answers of a server that wait until a test lets their bytes through. So a test decides what has come by then, whatever the
// pace of the machine.
import type { ServerResponse } from "node:http";

export interface AnswerGate {
  /** Sends the body as far as it is let through, in the order in which answers came here. */
  send(response: ServerResponse, body: Uint8Array): void;
  /** Lets so many more bytes through; `Infinity` all that ever come. */
  allow(bytes: number): void;
  /** How many bytes are let through that no answer has used so far. */
  allowed(): number;
  /** Lets nothing through any more, and gives up the answers that wait. */
  close(): void;
}

export function createAnswerGate(): AnswerGate {
  const waiting: { readonly response: ServerResponse; rest: Uint8Array }[] = [];
  let allowed = 0;
  const pump = (): void => {
    for (let first = waiting[0]; first && allowed > 0; first = waiting[0]) {
      const run = first.rest.subarray(0, allowed);
      allowed -= run.length;
      first.response.write(run);
      first.rest = first.rest.subarray(run.length);
      if (first.rest.length > 0) return;
      waiting.shift();
      first.response.end();
    }
  };
  return {
    send(response, body) {
      response.flushHeaders();
      const held = { response, rest: body };
      waiting.push(held);
      response.on("close", () => {
        const at = waiting.indexOf(held);
        if (at >= 0) waiting.splice(at, 1);
      });
      pump();
    },
    allow(bytes) {
      allowed += bytes;
      pump();
    },
    allowed: () => allowed,
    close() {
      allowed = 0;
      for (const { response } of waiting.splice(0)) response.destroy();
    },
  };
}
