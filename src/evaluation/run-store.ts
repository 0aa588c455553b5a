// What a run leaves in the browser, so that a reload asks nothing twice. An interface of evaluation.ts; run-store.web.ts keeps it in IndexedDB.
import * as v from "valibot";

export const StoredRun = v.object({
  version: v.literal(1),
  /** The question file. */
  name: v.string(),
  text: v.string(),
  benchmark: v.string(),
  modelId: v.string(),
  /** Whether it was running when it was last heard of: a reload then goes on by itself. */
  running: v.boolean(),
});
export type StoredRun = v.InferOutput<typeof StoredRun>;

export const StoredAnswer = v.object({
  text: v.string(),
  answerId: v.string(),
  /** Why there is none; such a question is asked again. */
  error: v.exactOptional(v.string()),
});
export type StoredAnswer = v.InferOutput<typeof StoredAnswer>;

export interface RunStore {
  /** The run and its answers by place; undefined where there is none that can be read. */
  read(): Promise<{ readonly run: StoredRun; readonly answers: ReadonlyMap<number, StoredAnswer> } | undefined>;
  /** Begins a run: what an earlier one left goes. */
  begin(run: StoredRun): Promise<void>;
  note(run: StoredRun): Promise<void>;
  add(place: number, answer: StoredAnswer): Promise<void>;
  /** Keeps the pictures by their paths; false where the browser has no room for them. */
  keepPictures(pictures: ReadonlyMap<string, Blob>): Promise<boolean>;
  picture(path: string): Promise<Blob | undefined>;
  clear(): Promise<void>;
}
