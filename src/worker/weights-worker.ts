// Entry of the download worker.
import { expose } from "comlink";
import { createIdbShardStore } from "#weights/store.web.ts";
import { roomLeft } from "#weights/storage.web.ts";
import { createWeightsHost } from "./weights-host.ts";

expose(createWeightsHost({ store: createIdbShardStore(), room: roomLeft }));
