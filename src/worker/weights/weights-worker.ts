// Entry of the download worker.
import { expose } from "comlink";
import { createIdbFeatures } from "#weights/store/features.web.ts";
import { hubPrecision } from "#weights/fit.ts";
import type { HubPrecision } from "#weights/download/hub-plan.ts";
import type { Bandwidth } from "#weights/decode-speed.ts";
import { createIdbShardStore } from "#weights/store/store.web.ts";
import { roomLeft } from "#weights/store/storage.web.ts";
import { measureBandwidth } from "./weights-bandwidth.web.ts";
import { deviceFacts } from "./weights-device.web.ts";
import { createWeightsHost } from "./weights-host.ts";
import { createPackagesHost } from "./weights-packages.ts";
import { holdLock } from "#worker/worker-lock.ts";

const store = createIdbShardStore();
const features = createIdbFeatures();
let measured: Promise<Bandwidth> | undefined;
const bandwidth = (): Promise<Bandwidth> => (measured ??= measureBandwidth());
const precision = async (): Promise<HubPrecision> => hubPrecision(await deviceFacts());
expose({
  ...createWeightsHost({ store, room: roomLeft, precision }),
  ...createPackagesHost({ store, facts: deviceFacts, bandwidth, features }),
  holdLock,
});
