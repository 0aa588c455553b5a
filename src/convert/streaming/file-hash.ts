// The SHA-256 of a file as its bytes stream by, whose state can be kept at any byte and taken up again in another visit.
import { createSHA256 } from "hash-wasm";

export interface FileHash {
  /** Begins a file, or goes on with what `state` returned. */
  begin(state?: Uint8Array): void;
  update(bytes: Uint8Array): void;
  state(): Uint8Array;
  /** Lower-case hex; ends the file. */
  digest(): string;
}

export async function createFileHash(): Promise<FileHash> {
  const hash = await createSHA256();
  return {
    begin(state) {
      hash.init();
      if (state) hash.load(state);
    },
    update: (bytes) => void hash.update(bytes),
    state: () => hash.save(),
    digest: () => hash.digest("hex"),
  };
}
