// Entry of the download worker.
import { expose } from "comlink";
import { createIdbShardStore } from "#weights/store.web.ts";
import { roomLeft } from "#weights/storage.web.ts";
import { deviceFacts } from "./weights-device.ts";
import { createWeightsHost } from "./weights-host.ts";
import { createPackagesHost } from "./weights-packages.ts";

const store = createIdbShardStore();
expose({ ...createWeightsHost({ store, room: roomLeft }), ...createPackagesHost({ store, facts: deviceFacts }) });
