// The hash that splits, samples and finds duplicates, in Node.
import { createHash } from "node:crypto";
import type { Hash } from "./hash-table.ts";

export const hash64: Hash = (text) => createHash("sha256").update(text).digest().readBigUInt64BE();
