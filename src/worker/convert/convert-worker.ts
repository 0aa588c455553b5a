// Entry of the worker that converts checkpoints.
import { expose } from "comlink";
import { quantizerWorkers } from "#convert/quantize/quantizer.web.ts";
import { rangeWorker } from "#convert/places/range-thread.web.ts";
import { fileHashWorker } from "#convert/streaming/file-hash.web.ts";
import { createIdbShardStore } from "#weights/store/store.web.ts";
import { roomLeft } from "#weights/store/storage.web.ts";
import type { Bandwidth } from "#weights/decode-speed.ts";
import { createConvertHost } from "./convert-host.ts";
import { refuseEndless, renderInJinja } from "./convert-templates.ts";
import { measureBandwidth } from "#worker/weights/weights-bandwidth.web.ts";
import { deviceFacts } from "#worker/weights/weights-device.web.ts";
import { holdLock } from "#worker/worker-lock.ts";

let measured: Promise<Bandwidth> | undefined;

expose({
  ...createConvertHost({
    store: createIdbShardStore(),
    facts: deviceFacts,
    room: roomLeft,
    bandwidth: () => (measured ??= measureBandwidth()),
    startQuantizer: () => quantizerWorkers(),
    startHash: fileHashWorker,
    startRanges: rangeWorker,
    renderChat: renderInJinja,
    tryTokenizer: refuseEndless,
    async selfTest(info, files, runtimeUrl) {
      // Loaded only now: most of a visit's conversions are plans.
      const [{ createWasmRuntime }, { recordSelfTest }] = await Promise.all([
        import("#engine/runtime/runtime.web.ts"),
        import("#engine/model/record-self-test.ts"),
      ]);
      const runtime = await createWasmRuntime({ runtimeUrl });
      try {
        return await recordSelfTest(runtime, info, files);
      } finally {
        await runtime.dispose();
      }
    },
  }),
  holdLock,
});
