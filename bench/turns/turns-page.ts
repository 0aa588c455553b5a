// Runs in a page of its own, which the bench of a hundred turns opens: conversations about ever new pictures with this engine's worker out of
// the built app, and what the browser says they hold.
import { wrap } from "comlink";
import type { Message } from "#engine/types.ts";
import type { OursApi } from "../page/api.ts";

/** After so many turns: everything the page and its workers hold, and of it the WebAssembly memories of the engine's worker. In bytes. */
export interface Held {
  readonly turns: number;
  readonly bytes: number;
  readonly wasmBytes: number;
}

declare global {
  interface Window {
    /** Addresses are relative to the page; measures after each of `marks` turns. */
    runTurns: (request: {
      readonly worker: string;
      readonly packageUrl: string;
      readonly runtimeUrl: string;
      readonly picture: string;
      readonly marks: readonly number[];
    }) => Promise<Held[]>;
  }
}

window.runTurns = async ({ worker, picture, marks, ...request }) => {
  const at = (path: string): string => new URL(path, document.baseURI).href;
  const ours = wrap<OursApi>(new Worker(at(worker), { type: "module" }));
  const urls = { packageUrl: at(request.packageUrl), runtimeUrl: at(request.runtimeUrl) };
  await ours.load({ ...urls, device: "wasm", longestAnswer: 24, keepFeatures: true });
  const bytes = await (await fetch(at(picture))).arrayBuffer();
  const held: Held[] = [];
  let conversation: Message[] = [];
  for (let turn = 1; turn <= Math.max(...marks); turn++) {
    // A new conversation every fifth turn, a new picture every second one, and now and then the same question again.
    if (turn % 5 === 1) conversation = [];
    const image = { type: "image", blob: new Blob([bytes, `#${turn}`]) } as const;
    const text = { type: "text", text: `Describe the picture. ${turn}` } as const;
    conversation.push({ role: "user", parts: turn % 5 === 1 || turn % 2 === 0 ? [image, text] : [text] });
    const answer = await ours.ask(conversation);
    if (turn % 7 === 0) await ours.ask(conversation);
    conversation.push({ role: "assistant", parts: [{ type: "text", text: answer?.text ?? "" }] });
    document.title = `turn ${turn}`;
    if (!marks.includes(turn)) continue;
    const whole = await performance.measureUserAgentSpecificMemory?.();
    held.push({ turns: turn, bytes: whole?.bytes ?? NaN, wasmBytes: (await ours.memory()).wasmBytes });
  }
  return held;
};
document.body.textContent = "ready";
