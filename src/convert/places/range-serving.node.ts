// A thread that reads ranges, in Node.
import { parentPort } from "node:worker_threads";
import { serveRanges, type RangeOrder } from "./range-thread.ts";

const serve = serveRanges((news, taken) => parentPort?.postMessage(news, [...taken]));

parentPort?.on("message", (order: RangeOrder) => serve(order));
