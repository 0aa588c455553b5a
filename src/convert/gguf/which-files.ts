// Tells from the names and sizes of files which GGUF files are models, which are projectors (mmproj), which are parts of one model, and
// which belong together. Opens nothing.

/** A file of a folder or a repository. */
export interface NamedFile {
  readonly path: string;
  readonly bytes: number;
}

/** A model that can be converted once it has a projector. */
export interface GgufModel {
  /** The file's name without its ending, and without its part's number. */
  readonly name: string;
  /** "Q4_K_M", as the name says; undefined where it says nothing. */
  readonly quantization: string | undefined;
  /** In their order; more than one where the model is split. */
  readonly files: readonly NamedFile[];
  readonly bytes: number;
  /** Parts whose files are not there. */
  readonly missing: readonly string[];
  /** Projectors for it, the best first. Empty where there is none: it answers without pictures, and can't be converted. */
  readonly projectors: readonly NamedFile[];
}

/** All parts of a split file, of which `path` is one; undefined for other names. */
export function splitOf(path: string): { readonly name: string; readonly parts: readonly string[] } | undefined {
  const found = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/i.exec(path);
  if (!found) return undefined;
  const [, name = "", , total = ""] = found;
  const count = Number(total);
  if (count < 1 || count > 999) return undefined;
  const ending = path.slice(-5);
  const parts = Array.from(
    { length: count },
    (_, i) => `${name}-${String(i + 1).padStart(5, "0")}-of-${total}${ending}`,
  );
  return { name, parts };
}

/** The models among the files, in the order of their names. */
export function ggufModels(files: readonly NamedFile[]): readonly GgufModel[] {
  const ggufs = files.filter(({ path }) => /\.gguf$/i.test(path) && !isOther(path));
  const projectors = ggufs.filter(({ path }) => isProjectorName(path));
  const byPath = new Map(ggufs.map((file) => [file.path, file]));
  const models = new Map<string, GgufModel>();
  for (const file of ggufs) {
    if (isProjectorName(file.path)) continue;
    const split = splitOf(file.path);
    const whole = split?.name ?? file.path.slice(0, -".gguf".length);
    if (models.has(whole)) continue;
    const parts = split?.parts ?? [file.path];
    const found = parts.flatMap((part) => byPath.get(part) ?? []);
    models.set(whole, {
      name: whole.slice(whole.lastIndexOf("/") + 1),
      quantization: quantizationIn(whole),
      files: found,
      bytes: found.reduce((sum, { bytes }) => sum + bytes, 0),
      missing: parts.filter((part) => !byPath.has(part)),
      projectors: projectorsFor(whole, projectors),
    });
  }
  return [...models.values()].sort((a, b) => a.name.localeCompare(b.name, "en"));
}

/** Whether GGUF files are the only weights among these; such folders may have a config.json, too. */
export function onlyGguf(paths: readonly string[]): boolean {
  return (
    paths.some((path) => /\.gguf$/i.test(path)) && !paths.some((path) => /\.(safetensors|bin|pth|pt)$/i.test(path))
  );
}

/** Whether a file's name says that it holds a projector and its tower. */
export function isProjectorName(path: string): boolean {
  return /mmproj|(^|[-_./])(vision[-_]?(encoder|adapter|tower)|projector|clip)[-_.]/i.test(nameOf(path));
}

/** Importance matrices and vocabularies have the same ending. */
function isOther(path: string): boolean {
  return /imatrix|(^|\/)ggml-vocab/i.test(path);
}

/** The projectors that may be of this model: in its folder, of its name where several models lie together; 16 bits first. */
function projectorsFor(model: string, projectors: readonly NamedFile[]): readonly NamedFile[] {
  const folder = model.slice(0, model.lastIndexOf("/") + 1);
  const near = projectors.filter(({ path }) => path.startsWith(folder) && !path.slice(folder.length).includes("/"));
  const candidates = near.length > 0 ? near : projectors;
  const stem = stemOf(model);
  const named = candidates.filter(({ path }) => {
    const own = stemOf(path.replace(/\.gguf$/i, ""))
      .replaceAll("mmproj", "")
      .replace(/model$/, "");
    return own !== "" && (stem.startsWith(own) || own.startsWith(stem));
  });
  return [...(named.length > 0 ? named : candidates)].sort(
    (a, b) => rank(a.path) - rank(b.path) || a.path.localeCompare(b.path, "en"),
  );
}

/** F16 is what towers are published in; F32 is as good and twice as large. */
function rank(path: string): number {
  const order = ["F16", "BF16", "Q8_0", "F32"];
  const found = order.indexOf(quantizationIn(path) ?? "F16");
  return found < 0 ? order.length : found;
}

/** Letters and digits of a name without its quantization: what two files of one model share. */
function stemOf(path: string): string {
  const name = nameOf(path).toLowerCase();
  const quantization = quantizationIn(path)?.toLowerCase();
  return (quantization === undefined ? name : name.replace(quantization, "")).replace(/[^a-z0-9]/g, "");
}

/** "Q4_K_M" in a name such as "llava-v1.6-mistral-7b.Q4_K_M.gguf". */
function quantizationIn(path: string): string | undefined {
  const found = /(?:^|[-_.])(b?f16|f32|iq\d_[a-z]+|t?q\d_(?:\d|k(?:_[sml])?))(?=[-_.]|$)/i.exec(
    nameOf(path).replace(/\.gguf$/i, ""),
  );
  return found?.[1]?.toUpperCase();
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
