// Entry of the hub worker: the host with the browser's adapters, exposed to the page.
import { expose } from "comlink";
import { decodeImage } from "#engine/picture/decode.web.ts";
import { holdLock } from "#worker/worker-lock.ts";
import { createHubHost } from "./host.ts";
import { chooseDevice, place } from "./place.web.ts";

expose({ ...createHubHost({ chooseDevice, place, decodeImage }), holdLock });
