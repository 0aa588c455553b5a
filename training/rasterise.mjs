// Rasterises the pictograms of objects.txt, in every style, to square PNGs in the cache folder.
// Usage: node rasterise.mjs <folder with node_modules> <cache folder> [side in pixels, 128]
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const [modules, cache, size = "128"] = process.argv.slice(2);
const require = createRequire(path.resolve(modules, "package.json"));
const sharp = require("sharp");
const styles = { noto: "noto", twemoji: "twemoji", fluent: "fluent-emoji-flat", openmoji: "openmoji" };
const here = path.dirname(new URL(import.meta.url).pathname);
const lines = readFileSync(path.join(here, "objects.txt"), "utf8")
  .split("\n")
  .filter((line) => line && !line.startsWith("#"));

mkdirSync(cache, { recursive: true });
const missing = [];
for (const [style, name] of Object.entries(styles)) {
  const set = require(`@iconify-json/${name}/icons.json`);
  for (const line of lines) {
    const candidates = line.split("|")[0].split(":");
    const id = candidates.find((c) => resolve(set, c));
    if (!id) {
      missing.push(`${style}/${candidates.join(":")}`);
      continue;
    }
    const icon = resolve(set, id);
    const width = icon.width ?? set.width ?? 16;
    const height = icon.height ?? set.height ?? 16;
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="512" height="512" viewBox="${icon.left ?? 0} ${icon.top ?? 0} ${width} ${height}">${icon.body}</svg>`;
    const file = path.join(cache, `${style}__${candidates[0]}.png`);
    await sharp(Buffer.from(svg)).resize(Number(size), Number(size)).png().toFile(file);
  }
}
console.log(missing.length ? `missing: ${missing.join(" ")}` : "every object in every style");

function resolve(set, id) {
  if (set.icons[id]) return set.icons[id];
  const alias = set.aliases?.[id];
  return alias && !alias.rotate && !alias.hFlip && !alias.vFlip ? resolve(set, alias.parent) : undefined;
}
