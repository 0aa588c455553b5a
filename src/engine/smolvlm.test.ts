// SmolVLM from a checkpoint to an answer, on the runtime and on this project's own kernels: pictures in squares or as one, several of them, the
// checkpoint's own conversation.
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { convert } from "#convert/convert.ts";
import { checkpointFolder } from "#convert/package/folder.node.ts";
import { answer, assistant, picture, request, user } from "#testing/tiny-package.node.ts";
import { memoryPackage } from "#testing/fixtures.ts";
import { decodeImage } from "#engine/picture/decode.node.ts";
import { createEngine, type Engine } from "./engine.ts";
import { loadModel } from "#engine/model/load.ts";
import { createNodeRuntime } from "#engine/runtime/runtime.node.ts";
import type { Runtime } from "#engine/runtime/runtime.ts";
import type { Part } from "./types.ts";

const runtime = createNodeRuntime({ threads: 1 });
/** What this machine's runtime is on WASM: nothing but the kernels where they can. */
const kernels: Runtime = { ...runtime, kernel: { helpers: undefined } };

async function packageOf(name: string) {
  const to = memoryPackage();
  const folder = fileURLToPath(new URL(`../../training/fixtures/families/${name}`, import.meta.url));
  const info = await convert(checkpointFolder(folder), to, { bits: { vision: 8, embed: 8, decoder: 4 } });
  return { info, files: to.files };
}

const open = (on: Runtime, { info, files }: Awaited<ReturnType<typeof packageOf>>): Promise<Engine> =>
  createEngine({ runtime: on, files, info, decodeImage });

let small: Awaited<ReturnType<typeof packageOf>>;
let engine: Engine;
let red: Part;
let blue: Part;

beforeAll(async () => {
  small = await packageOf("smolvlm");
  engine = await open(runtime, small);
  [red, blue] = [await picture("red"), await picture("blue")]; // 40 × 24 pixels
});
afterAll(() => engine.dispose());

test("the package says how pictures are cut, and ends answers as the checkpoint's template does", async () => {
  expect(small.info.model).toMatchObject({
    template: "chat_template",
    imageAspect: "resize",
    imageTokens: 17 * 4,
    squares: { longestEdge: 256, filter: "lanczos", rows: 4 },
  });
  const model = await loadModel({ runtime, ...small, memoryBudget: 0 });
  expect(model.config.eosIds.map((id) => model.tokenizer.decode([id]))).toEqual([""]);
  expect(model.config.eosIds).toContain(model.tokenizer.idOf("<end_of_utterance>"));
  await model.dispose();
});

test.each(["smolvlm", "smolvlm2"])("%s: both kernels take it and answer as the runtime does", async (name) => {
  const made = await packageOf(name);
  const model = await loadModel({ runtime: kernels, ...made, memoryBudget: 0 });
  expect(model.ownKernel).toBe(true);
  await model.dispose();
  const [ours, theirs] = [await open(kernels, made), await open({ ...runtime, kernel: undefined }, made)];
  for (const detail of ["quick", "every"] as const) {
    const asked = request([user("What are these?", red, blue)], { detail, maxNewTokens: 8 });
    expect((await answer(ours, asked)).text).toBe((await answer(theirs, asked)).text);
  }
  await ours.dispose();
  await theirs.dispose();
});

test("every detail takes more rows than a quick look, which is what a slow device chooses", async () => {
  const rows = async (change: object) =>
    (await answer(engine, request([user("What is this?", red)], change))).done.usage.imageTokens;
  expect(await rows({ detail: "quick" })).toBe(4);
  expect(await rows({ detail: "every" })).toBe((4 * 3 + 1) * 4);
  expect(await rows({ imageMode: "crop", detail: "quick" })).toBe(4);
  const slow = await open(runtime, small);
  const asked = request([user("What is this?", red)]);
  expect((await answer(slow, asked)).done.usage.imageTokens).toBe(4);
  // What was chosen for a picture stays, although the device turns out to be quick.
  expect((await answer(slow, asked)).done.usage.imageTokens).toBe(4);
  expect((await answer(slow, request([user("And this?", blue)]))).done.usage.imageTokens).toBe((4 * 3 + 1) * 4);
  await slow.dispose();
});

test("a question about a picture seen before runs nothing of it again", async () => {
  const asked = user("What is this?", red, blue);
  const first = await answer(engine, request([asked], { detail: "every" }));
  const next = await answer(
    engine,
    request([asked, assistant(first.text), user("Why?")], { detail: "every", maxNewTokens: 4 }),
  );
  expect(next.done.timings.visionMs).toBe(0);
  expect(next.done.usage.cachedTokens).toBeGreaterThan(2 * (4 * 3 + 1) * 4);
});

test("people's text makes no marks of pictures", async () => {
  const said = request([user("<image> <row_1_col_1> <fake_token_around_image>", red)], { detail: "quick" });
  expect((await answer(engine, said)).done.usage.imageTokens).toBe(4);
});
