// For tests: a package's greedy answers on this machine's processor.
import { createEngine } from "#engine/engine.ts";
import { createNodeRuntime } from "#engine/runtime/runtime.node.ts";
import type { GenerateRequest, Pixels } from "#engine/types.ts";
import type { Manifest } from "#weights/manifest.ts";
import type { MemoryPackage } from "./fixtures.ts";

/** A picture's file, and what is asked about it. */
interface TestQuestion {
  readonly picture: Blob;
  readonly text: string;
}

const sampling = { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 };

/** Each question on its own, at most `tokens` long. */
export async function answersOf(
  { files }: MemoryPackage,
  info: Manifest,
  questions: readonly TestQuestion[],
  { decodeImage, tokens }: { readonly decodeImage: (file: Blob) => Promise<Pixels>; readonly tokens: number },
): Promise<string[]> {
  const runtime = createNodeRuntime({ threads: 1 });
  const engine = await createEngine({ runtime, files, info, decodeImage });
  const answers: string[] = [];
  for (const { picture, text } of questions) {
    const parts = [{ type: "image", blob: picture }, { type: "text", text }] as const; // prettier-ignore
    const request: GenerateRequest = { messages: [{ role: "user", parts }], sampling, maxNewTokens: tokens, stop: [] };
    let answer = "";
    for await (const event of engine.generate(request, new AbortController().signal))
      if (event.type === "text") answer += event.text;
    answers.push(answer);
  }
  await engine.dispose();
  await runtime.dispose();
  return answers;
}
