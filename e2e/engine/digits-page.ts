// Computes a picture's features on WASM, with the kernel that uses relaxed SIMD and with the one that does not. Bundled by the test that opens it; no
// part of the app.
import { openTower } from "#engine/model/kernel-load.ts";
import { createRandom } from "#engine/text/sampler.ts";
import { servedFiles } from "#testing/served-files.ts";
import { parseManifest } from "#weights/manifest.ts";

interface Compared {
  /** Whether this browser compiles relaxed SIMD at all. */
  readonly hasRelaxed: boolean;
  readonly count: number;
  /** Features that are not the same in every bit. */
  readonly different: number;
}

declare global {
  interface Window {
    /** The tower of the package at this address, on random pixels of a picture of `side` pixels. */
    compare: (packageUrl: string, side: number) => Promise<Compared>;
  }
}

window.compare = async (packageUrl, side) => {
  const files = servedFiles(new URL(packageUrl, document.baseURI));
  const parsed = parseManifest(JSON.parse(await (await files.blob("manifest.json")).text()));
  if (!parsed.ok) throw new Error(parsed.problem);
  const { vision } = parsed.manifest.graphs;
  const random = createRandom(7);
  const pixels = Float32Array.from({ length: 3 * side * side }, () => random() * 4 - 2);
  const features = async (): Promise<Int32Array> => {
    const tower = await openTower(vision, files, side, undefined);
    if (!tower) throw new Error("the kernel does not take the graph");
    const { features: found } = tower.run(pixels);
    tower.release();
    return new Int32Array(found.buffer);
  };
  let hasRelaxed = false;
  const validate = WebAssembly.validate.bind(WebAssembly);
  WebAssembly.validate = (bytes) => (hasRelaxed = validate(bytes));
  const fast = await features();
  WebAssembly.validate = () => false;
  const plain = await features();
  WebAssembly.validate = validate;
  return { hasRelaxed, count: plain.length, different: plain.filter((bits, i) => bits !== fast[i]).length };
};
document.body.textContent = "ready";
