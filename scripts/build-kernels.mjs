// npm run build:kernels [-- --check]: compiles kernels/llama.ts (AssemblyScript) and keeps the WebAssembly in src/engine, so that building the
// app needs no compiler; --check, which a test runs, only compares.
import { readFile, writeFile, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { main } from "assemblyscript/asc";

/** The WebAssembly of the decoder's kernel. */
async function compileKernel() {
  const out = join(await mkdtemp(join(tmpdir(), "kernel-")), "llama.wasm");
  const flags =
    "-O3 --runtime stub --noAssert --enable simd,threads --importMemory --sharedMemory --initialMemory 1 --maximumMemory 65536";
  const { error, stderr } = await main(["kernels/llama.ts", "-o", out, ...flags.split(" ")]);
  if (error) throw new Error(`${error.message}\n${stderr.toString()}`);
  return readFile(out);
}

/** src/engine/llama-kernel.ts with these bytes. */
function kernelModule(bytes) {
  const base64 = bytes.toString("base64").replace(/.{1,130}/g, '  "$&",\n');
  return `// Written by \`npm run build:kernels\` from kernels/llama.ts; not to be edited.

// prettier-ignore
const base64 = [
${base64}].join("");

/** What kernels/llama.ts exports; it imports its memory. */
export interface LlamaKernel {
  run(): void;
  help(thread: number): void;
}

/** Compiles it anew. */
export function compileLlamaKernel(): Promise<WebAssembly.Module> {
  return WebAssembly.compile(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)));
}
`;
}

const target = "src/engine/llama-kernel.ts";
const compiled = kernelModule(await compileKernel());
if (process.argv.includes("--check")) {
  if ((await readFile(target, "utf8")) !== compiled) {
    console.error(`${target} is not what kernels/llama.ts compiles to: run npm run build:kernels.`);
    process.exitCode = 1;
  }
} else {
  await writeFile(target, compiled);
}
