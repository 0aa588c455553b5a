// A mixture of towers says of each picture whether it is a photograph: on the runtime's sessions and on the kernel, with an answer and without
// one, also where the features come from an earlier visit.
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { beforeAll, expect, test } from "vitest";
import { convert } from "#convert/convert.ts";
import { checkpointFolder } from "#convert/package/folder.node.ts";
import type { FeatureStore, KeptFeatures } from "#engine/model/image-features.ts";
import { decodeImage } from "#engine/picture/decode.node.ts";
import { createNodeRuntime } from "#engine/runtime/runtime.node.ts";
import { createWasmRuntime } from "#engine/runtime/runtime.web.ts";
import type { Runtime } from "#engine/runtime/runtime.ts";
import { memoryPackage, randomNumbers } from "#testing/fixtures.ts";
import { answer, request, tinyPackage, user } from "#testing/tiny-package.node.ts";
import { createEngine, type Engine } from "./engine.ts";
import type { Part, PictureKinds } from "./types.ts";

const fixture = fileURLToPath(new URL("../../training/fixtures/mixture", import.meta.url));
const runtimeUrl = new URL("../../node_modules/onnxruntime-web/dist/", import.meta.url).href;
let mixture: Awaited<ReturnType<typeof tinyPackage>>;
let pictures: Part[];

beforeAll(async () => {
  const to = memoryPackage();
  const info = await convert(checkpointFolder(fixture), to, { bits: { vision: 8, embed: 8, decoder: 8 } });
  mixture = { info, files: to.files };
  const random = randomNumbers(5);
  pictures = await Promise.all(
    Array.from({ length: 8 }, async (): Promise<Part> => {
      const data = Uint8Array.from({ length: 8 * 8 * 3 }, () => random() * 255);
      const png = await sharp(data, { raw: { width: 8, height: 8, channels: 3 } })
        .resize(48, 48)
        .png()
        .toBuffer();
      return { type: "image", blob: new Blob([new Uint8Array(png)]) };
    }),
  );
});

async function kindsOn(runtime: Runtime, keptFeatures?: FeatureStore): Promise<PictureKinds> {
  const engine = await createEngine({ runtime, ...mixture, decodeImage, keptFeatures });
  try {
    const kinds: PictureKinds[] = [];
    for (const picture of pictures) {
      const asked = request([user("What?", picture)], { maxNewTokens: 1 });
      const prepared = await engine.prepare(asked);
      expect((await answer(engine, asked)).done.pictures).toEqual(prepared);
      kinds.push(prepared);
    }
    return kinds.flat();
  } finally {
    await engine.dispose();
  }
}

test("sessions and the kernel agree, and pictures of both kinds are among them", async () => {
  const here = await kindsOn(createNodeRuntime());
  expect(new Set(here)).toEqual(new Set(["photograph", "drawing"]));
  expect(await kindsOn(await createWasmRuntime({ runtimeUrl }))).toEqual(here);
});

test("what an earlier visit kept says it again, without a look at the picture", async () => {
  const kept = new Map<string, KeptFeatures>();
  const store: FeatureStore = {
    get: (key) => Promise.resolve(kept.get(key)?.slice()),
    put: (key, features) => {
      kept.set(key, features);
      return Promise.resolve();
    },
  };
  const first = await kindsOn(createNodeRuntime(), store);
  expect(kept.size).toBe(pictures.length);
  const before = [...kept.values()].map(({ length }) => length);
  expect(await kindsOn(createNodeRuntime(), store)).toEqual(first);
  expect([...kept.values()].map(({ length }) => length)).toEqual(before);
});

test("several pictures of one question are told in their order, and a model that does not say leaves them out", async () => {
  const [first, second] = [pictures[0], pictures[1]];
  const asked = request([user("Which?", ...[first, second].flatMap((picture) => picture ?? []))], { maxNewTokens: 1 });
  const engine = await createEngine({ runtime: createNodeRuntime(), ...mixture, decodeImage });
  const single = async (on: Engine, picture: Part | undefined): Promise<PictureKinds> =>
    picture ? on.prepare(request([user("What?", picture)])) : [];
  const each = [...(await single(engine, first)), ...(await single(engine, second))];
  expect(await engine.prepare(asked)).toEqual(each);
  await engine.dispose();
  const plain = await createEngine({ runtime: createNodeRuntime(), ...(await tinyPackage()), decodeImage });
  expect(await plain.prepare(asked)).toEqual([undefined, undefined]);
  await plain.dispose();
});
