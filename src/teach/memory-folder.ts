// A package folder in memory: an adapter is small, and is tried before it is stored.
import type { PackageFolder } from "#convert/checkpoint/folders.ts";
import { EngineError } from "#engine/errors.ts";

export interface MemoryFolder extends PackageFolder {
  readonly written: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
}

export function memoryFolder(): MemoryFolder {
  const written = new Map<string, Uint8Array<ArrayBuffer>>();
  return {
    written,
    create(path) {
      const parts: Uint8Array<ArrayBuffer>[] = [];
      return Promise.resolve({
        write(bytes) {
          parts.push(bytes.slice());
          return Promise.resolve();
        },
        async close() {
          written.set(path, new Uint8Array(await new Blob(parts).arrayBuffer()));
        },
      });
    },
    files: {
      blob(path) {
        const bytes = written.get(path);
        if (!bytes) return Promise.reject(new EngineError("bad-package", `the package has no file ${path}`));
        return Promise.resolve(new Blob([bytes]));
      },
    },
    reserve: () => Promise.resolve(),
    commit: () => Promise.resolve(),
    discard: () => Promise.resolve(written.clear()),
  };
}
