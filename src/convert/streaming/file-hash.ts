// The SHA-256 of a file as its bytes stream by, whose state can be kept at any byte and taken up again in another visit. It takes a core a
// second for about 450 MB, so hosts give it a thread (file-hash.node.ts, file-hash.web.ts).
import { createSHA256 } from "hash-wasm";
import { alone, type Thread } from "#convert/threads/thread.ts";

/** Calls are done in their order, and none waits for the one before. */
export interface FileHash {
  /** Begins a file, or goes on with a state. */
  begin(state?: Uint8Array): void;
  /** Also tells the states after the first so many bytes of these. The bytes are of no use until they come back. */
  update(bytes: Uint8Array<ArrayBuffer>, cuts: readonly number[]): Promise<HashedBytes>;
  /** Lower-case hex; ends the file. */
  digest(): Promise<string>;
}

interface HashedBytes {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly states: readonly Uint8Array[];
}

export type HashCall =
  | { readonly kind: "begin"; readonly state: Uint8Array | undefined }
  | { readonly kind: "update"; readonly bytes: Uint8Array<ArrayBuffer>; readonly cuts: readonly number[] }
  | { readonly kind: "digest" };
export type HashAnswer = HashedBytes | string | undefined;

/** Does calls at once. */
export async function createHasher(): Promise<(call: HashCall) => HashAnswer> {
  const hash = await createSHA256();
  return (call) => {
    if (call.kind === "begin") {
      hash.init();
      if (call.state) hash.load(call.state);
      return undefined;
    }
    if (call.kind === "digest") return hash.digest("hex");
    const { bytes, cuts } = call;
    let from = 0;
    const states = cuts.map((to) => {
      hash.update(bytes.subarray(from, to));
      from = to;
      return hash.save();
    });
    hash.update(bytes.subarray(from));
    return { bytes, states };
  };
}

/** Hashes in this thread. */
export async function fileHashHere(): Promise<FileHash> {
  const hasher = await createHasher();
  return fileHash((call) => Promise.resolve(hasher(call)));
}

/** Hashes in another thread, which answers as `createHasher` does. */
export function fileHashOver(thread: Pick<Thread<HashCall, HashAnswer>, "ask">): FileHash {
  return fileHash((call) => {
    if (call.kind !== "update") return thread.ask(call);
    const bytes = alone(call.bytes);
    return thread.ask({ ...call, bytes }, [bytes.buffer]);
  });
}

function fileHash(ask: (call: HashCall) => Promise<HashAnswer>): FileHash {
  return {
    begin(state) {
      // Where the thread has ended, the next call says so.
      void ask({ kind: "begin", state }).catch(() => undefined);
    },
    async update(bytes, cuts) {
      const answer = await ask({ kind: "update", bytes, cuts });
      if (typeof answer !== "object") throw new TypeError("hashed bytes come back");
      return answer;
    },
    async digest() {
      const answer = await ask({ kind: "digest" });
      if (typeof answer !== "string") throw new TypeError("a digest is text");
      return answer;
    },
  };
}
