// Entry of the download worker.
import { expose } from "comlink";
import { createIdbShardStore } from "#weights/store.web.ts";
import { roomLeft } from "#weights/storage.web.ts";
import { createWeightsHost } from "./weights-host.ts";

// Workers have no `persist()`: the page asks.
const persist = (): Promise<void> => Promise.resolve();

expose(createWeightsHost({ store: createIdbShardStore(), room: roomLeft, persist }));
