// Runs a package on the browser's GPU and on WASM and asks it about a picture. Bundled by the test that opens it; no part of the app.
import { decodeImage } from "#engine/picture/decode.web.ts";
import { createEngine } from "#engine/engine.ts";
import { probeGpu } from "#engine/runtime/gpu.web.ts";
import { createWasmRuntime, createWebGpuRuntime } from "#engine/runtime/runtime.web.ts";
import type { PictureDetail } from "#engine/types.ts";
import { servedFiles } from "#testing/served-files.ts";
import { parseManifest } from "#weights/manifest.ts";

interface Seen {
  readonly text: string;
  readonly imageTokens: number;
  /** Tensors that outlive their engine. */
  readonly leaked: number;
}

declare global {
  interface Window {
    /** Greedy answer of the package in `packageUrl` to a question about the picture, twice in a row, which must be the same. */
    see: (
      urls: { readonly packageUrl: string; readonly runtimeUrl: string; readonly picture: string },
      device: "webgpu" | "wasm",
      detail: PictureDetail,
    ) => Promise<Seen>;
  }
}

window.see = async ({ packageUrl, runtimeUrl, picture }, device, detail) => {
  const files = servedFiles(new URL(packageUrl, document.baseURI));
  const parsed = parseManifest(JSON.parse(await (await files.blob("manifest.json")).text()));
  if (!parsed.ok) throw new Error(parsed.problem);
  const probe = await probeGpu();
  if (probe.kind !== "adapter") throw new Error("no GPU");
  const runtime = await (device === "wasm"
    ? createWasmRuntime({ runtimeUrl })
    : createWebGpuRuntime(probe, { runtimeUrl }));
  const engine = await createEngine({ runtime, files, info: parsed.manifest, decodeImage, drafts: false });
  const blob = await (await fetch(new URL(picture, document.baseURI))).blob();
  const texts: string[] = [];
  let imageTokens = 0;
  for (let run = 0; run < 2; run++) {
    let text = "";
    const events = engine.generate({
      messages: [
        {
          role: "user",
          parts: [
            { type: "image", blob },
            { type: "text", text: "What is this?" },
          ],
        },
      ],
      sampling: { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 },
      maxNewTokens: 6,
      stop: [],
      detail,
    });
    for await (const event of events) {
      if (event.type === "text") text += event.text;
      if (event.type === "done") imageTokens = event.usage.imageTokens;
    }
    texts.push(text);
  }
  if (texts[0] !== texts[1]) throw new Error(`"${texts[0]}" and then "${texts[1]}"`);
  await engine.dispose();
  const leaked = runtime.aliveTensors;
  await runtime.dispose();
  return { text: texts[0] ?? "", imageTokens, leaked };
};
document.body.textContent = "ready";
