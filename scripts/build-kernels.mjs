// npm run build:kernels [-- --check]: compiles kernels/*.ts (AssemblyScript) and keeps the WebAssembly beside what runs it in src, so that
// building the app needs no compiler; --check, which a test runs, only compares.
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { main } from "assemblyscript/asc";

const team = {
  room: "engine/kernel",
  flags: "--enable simd,threads --importMemory --sharedMemory --initialMemory 1 --maximumMemory 65536",
};
const kernels = {
  llama: team,
  vision: team,
  "vision-relaxed": { ...team, source: "vision", flags: team.flags.replace("simd,", "simd,relaxed-simd,") },
  quantize: {
    room: "convert/quantize",
    flags: "--enable simd,bulk-memory --importMemory --initialMemory 1",
    exports: [
      `quantize(
    from: number,
    type: number,
    rows: number,
    cols: number,
    bits: number,
    weights: number,
    data: number,
    scales: number,
    zeros: number,
  ): number`,
    ],
  },
  resize: {
    room: "engine/picture",
    flags: "--enable simd --importMemory --initialMemory 1",
    exports: [
      "layOnWhite(line: number, pixels: number): void",
      "across(line: number, table: number, outputs: number, fill: number, to: number): void",
      "down(from: number, bytes: number, count: number, weights: number, to: number): void",
    ],
  },
  train: {
    room: "teach/training",
    flags: "--enable simd,bulk-memory --importMemory --initialMemory 1",
    exports: [
      `product(
    m: number,
    n: number,
    k: number,
    scale: number,
    a: number,
    aRow: number,
    aCol: number,
    b: number,
    bRow: number,
    bCol: number,
    c: number,
    cRow: number,
    scratch: number,
  ): void`,
      "setRows(to: number, from: number, rows: number, n: number): void",
      "add(to: number, x: number, y: number, n: number): void",
      "normForward(x: number, weight: number, y: number, inverses: number, rows: number, n: number, epsilon: number): void",
      "normBackward(x: number, weight: number, inverses: number, dy: number, dx: number, rows: number, n: number): void",
      "rotate(x: number, rows: number, stride: number, heads: number, size: number, table: number, sign: number): void",
      `attentionForward(
    qkv: number,
    rows: number,
    heads: number,
    kvHeads: number,
    size: number,
    scale: number,
    shared: number,
    first: number,
    weights: number,
    out: number,
  ): void`,
      `attentionBackward(
    qkv: number,
    rows: number,
    heads: number,
    kvHeads: number,
    size: number,
    scale: number,
    shared: number,
    first: number,
    weights: number,
    dout: number,
    dqkv: number,
    line: number,
  ): void`,
      "gateForward(gate: number, up: number, out: number, n: number): void",
      "gateBackward(gate: number, up: number, dout: number, dgate: number, dup: number, n: number): void",
      "crossEntropy(logits: number, targets: number, rowWeights: number, rows: number, n: number): number",
    ],
  },
};

async function compile(name) {
  const out = join(await mkdtemp(join(tmpdir(), "kernel-")), "kernel.wasm");
  const flags = ["-o", out, "-O3", "--runtime", "stub", "--noAssert", ...kernels[name].flags.split(" ")];
  const { error, stderr } = await main([`kernels/${kernels[name].source ?? name}.ts`, ...flags]);
  if (error) throw new Error(`${error.message}\n${stderr.toString()}`);
  return readFile(out);
}

/** The type of what a kernel exports; all kernels of a team share one, which src/engine/kernel/memory.ts has. */
function exportsOf(name) {
  const { exports } = kernels[name];
  if (exports === undefined) return "";
  const type = `${name[0].toUpperCase()}${name.slice(1)}Kernel`;
  return `/** What kernels/${name}.ts exports; it imports its memory. */
export interface ${type} {
${exports.map((line) => `  ${line};`).join("\n")}
}

`;
}

/** <name>-kernel.ts with these bytes. */
function moduleOf(name, bytes) {
  const base64 = bytes.toString("base64").replace(/.{1,130}/g, '  "$&",\n');
  const source = kernels[name].source ?? name;
  const camel = name.replace(/-(.)/g, (_, letter) => letter.toUpperCase());
  return `// Written by \`npm run build:kernels\` from kernels/${source}.ts; not to be edited.

${exportsOf(name)}// prettier-ignore
const base64 = [
${base64}].join("");

/** The WebAssembly's bytes. */
export function ${camel}KernelBytes(): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
`;
}

for (const name of Object.keys(kernels)) {
  const target = `src/${kernels[name].room}/${name}-kernel.ts`;
  const compiled = moduleOf(name, await compile(name));
  if (!process.argv.includes("--check")) {
    await writeFile(target, compiled);
  } else if ((await readFile(target, "utf8")) !== compiled) {
    console.error(`${target} is not what kernels/${name}.ts compiles to: run npm run build:kernels.`);
    process.exitCode = 1;
  }
}
