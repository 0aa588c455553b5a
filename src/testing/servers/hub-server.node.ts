// For tests: what a model hub answers about a repository, as files for the package server. Knows nothing of the code that asks.
import { createHash } from "node:crypto";
import type { PackageServer } from "./package-server.node.ts";

/** The hub's commit of a test repository. */
export const testCommit = "0123456789abcdef0123456789abcdef01234567";

/** Longer files are in large file storage, of which the hub publishes SHA-256. */
const largeFrom = 1000;

/** Publishes a repository on the server under "main" and its commit, and gives the address of its package. */
export function publishOnHub(
  server: PackageServer,
  repository: string,
  files: ReadonlyMap<string, Uint8Array>,
  { license = "apache-2.0", modelType = "smolvlm" } = {},
): string {
  const siblings = [...files].map(([path, bytes]) => ({
    rfilename: path,
    size: bytes.length,
    blobId: createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex"),
    ...(bytes.length > largeFrom
      ? { lfs: { sha256: createHash("sha256").update(bytes).digest("hex"), size: bytes.length, pointerSize: 132 } }
      : {}),
  }));
  const answer = {
    id: repository,
    sha: testCommit,
    tags: ["onnx", `license:${license}`],
    config: { model_type: modelType },
    siblings,
  };
  const host = new URL("/", server.baseUrl).href;
  server.files = new Map<string, Uint8Array>([
    ...server.files,
    ...["main", testCommit].map(
      (revision) =>
        [
          `/api/models/${repository}/revision/${revision}?blobs=true`,
          new TextEncoder().encode(JSON.stringify(answer)),
        ] as const,
    ),
    ...[...files].map(([path, bytes]) => [`/${repository}/resolve/${testCommit}/${path}`, bytes] as const),
  ]);
  return `${host}${repository}/resolve/main/`;
}
