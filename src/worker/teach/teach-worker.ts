// Entry of the worker that teaches models.
import { expose } from "comlink";
import { decodeImage } from "#engine/picture/decode.web.ts";
import { createWasmRuntime } from "#engine/runtime/runtime.web.ts";
import { readReplay } from "#teach/replay.ts";
import { webTrainThreads } from "#teach/training/trainers.web.ts";
import { createIdbShardStore } from "#weights/store/store.web.ts";
import { createTeachingHost } from "./teach-host.ts";
import { holdLock } from "#worker/worker-lock.ts";

/** One core stays free for the page and for answers, where there are more than two. */
const cores = navigator.hardwareConcurrency;
const threads = cores > 2 ? cores - 1 : cores;

expose({
  ...createTeachingHost({
    store: createIdbShardStore(),
    cores: Math.min(threads, 8),
    decodeImage,
    createRuntime: createWasmRuntime,
    startThreads: webTrainThreads,
    readReplay: (folderUrl) =>
      readReplay(async (path) => {
        const response = await fetch(new URL(path, folderUrl));
        if (!response.ok) throw new Error(`${path} answered ${response.status}`);
        return response.blob();
      }),
    newId: () => `taught-${crypto.randomUUID()}`,
  }),
  holdLock,
});
