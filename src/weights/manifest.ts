// The manifest of a model package: its files with their shards and hashes, and its graphs. A package is a model of this project's engine, an
// adapter of one, or a model of a hub that transformers.js runs. Knows no network, no storage and no runtime.
import * as v from "valibot";

export const manifestName = "manifest.json";
export const manifestVersion = 1;

const sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, "a SHA-256 is 64 hex digits"));
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
/** The limit is far above any real model: the longest known context has a million tokens. */
const tokens = v.pipe(count, v.maxValue(2 ** 24, "no model has so many tokens"));
/** Relative, with forward slashes, and inside the package folder. */
const filePath = v.pipe(
  v.string(),
  v.regex(/^(?!\/)(?!.*(^|\/)\.\.?(\/|$))[\w.@+/-]+$/, "a path must stay inside the package"),
);

const Shard = v.object({ offset: count, bytes: count, sha256 });

const File = v.object({
  path: filePath,
  bytes: count,
  /** In order and without gaps. */
  shards: v.array(Shard),
});

const Bits = v.picklist([4, 8, 16, 32]);

const Graph = v.object({
  /** The ONNX graph. */
  path: filePath,
  /** Its external data, in the order the graph refers to them. */
  data: v.array(filePath),
  bits: Bits,
  /** The same graph with f32 weights, and the recipe that computes them from the quantized files; for hosts where 4-bit kernels are slow. */
  expanded: v.optional(v.object({ path: filePath, recipe: filePath, bytes: count })),
  /** Of a decoder: the same graph over the same data, for devices that replay a recorded decode step (engine/package.ts). */
  replayable: v.optional(filePath),
  /** Of a decoder that LoRA adapters fit: the same graphs over the same data, with inputs for one (engine/package.ts). */
  adaptable: v.optional(
    v.object({
      path: filePath,
      expanded: v.optional(filePath),
      fits: sha256,
      sites: v.array(
        v.object({
          name: v.string(),
          inputs: count,
          parts: v.array(v.object({ of: v.string(), outputs: count })),
        }),
      ),
    }),
  ),
});

const Tiles = v.object({
  /** Sizes that a picture is fitted into, in pixels, height first. */
  pinpoints: v.array(v.tuple([count, count])),
  /** Feature rows along a tile's side. */
  side: tokens,
  /** The features of more tiles are downscaled to this many. */
  most: v.optional(count),
  /** Where a prompt has several pictures each is one square, as `imageAspect` says. */
  onlyAlone: v.boolean(),
});

const Squares = v.object({
  /** Pixels that the longest side of a picture is scaled to before it is cut. */
  longestEdge: v.pipe(count, v.minValue(1), v.maxValue(2 ** 14, "no model sees such pictures")),
  filter: v.picklist(["lanczos", "bicubic"]),
  /** Feature rows of a square. */
  rows: tokens,
});

const ManifestSchema = v.object({
  version: v.literal(manifestVersion),
  model: v.object({
    id: v.string(),
    name: v.string(),
    license: v.string(),
    architecture: v.literal("llava"),
    /** Id of the conversation template, in LLaVA's names. */
    template: v.string(),
    /** What happens to a picture that is not square. */
    imageAspect: v.picklist(["pad", "crop", "resize"]),
    /** Positions of the prompt that one picture takes; with tiles the maximum. */
    imageTokens: tokens,
    /** For models that see a picture as a whole and in tiles. */
    tiles: v.optional(Tiles),
    /** For models that see a picture in squares, or as one: Idefics3 and SmolVLM. */
    squares: v.optional(Squares),
    contextLength: tokens,
  }),
  graphs: v.object({ vision: Graph, embed: Graph, decoder: Graph }),
  /** Golden logits for the numerics self-test (see engine/model/self-test.ts); absent in packages that carry none. */
  selfTest: v.optional(filePath),
  files: v.array(File),
});

/** A LoRA adapter, which is loaded together with a package that it fits. */
const AdapterManifestSchema = v.object({
  version: v.literal(manifestVersion),
  model: v.object({
    id: v.string(),
    name: v.string(),
    license: v.string(),
    architecture: v.literal("llava-adapter"),
    template: v.string(),
    imageAspect: v.picklist(["pad", "crop", "resize"]),
  }),
  adapter: v.object({
    /** The `fits` of the packages that it can be loaded with. */
    fits: sha256,
    /** The package that it was made for; for display. */
    baseId: v.string(),
    baseName: v.string(),
    /** The largest of its ranks. */
    rank: count,
    bits: v.picklist([16, 32]),
    index: filePath,
    data: filePath,
    projector: v.optional(Graph),
  }),
  files: v.array(File),
});

/** Dtypes in the names of transformers.js; "q8" is "quantized" in file names. */
const HubDtype = v.picklist(["fp32", "fp16", "q8", "q4", "q4f16"]);

const HubManifestSchema = v.object({
  version: v.literal(manifestVersion),
  model: v.object({
    id: v.string(),
    name: v.string(),
    license: v.string(),
    architecture: v.literal("transformers.js"),
    /** `model_type` of the model's config.json. */
    modelType: v.string(),
    /** "owner/name"; `revision` is the commit that the hashes belong to. */
    repository: v.string(),
    revision: v.string(),
    /** The dtype of each part of the model, which selects its files. */
    dtypes: v.record(v.string(), HubDtype),
  }),
  files: v.array(File),
});

export type HubDtype = v.InferOutput<typeof HubDtype>;
export type Shard = v.InferOutput<typeof Shard>;
export type ManifestFile = v.InferOutput<typeof File>;
export type ManifestGraph = v.InferOutput<typeof Graph>;
/** A model that this project's engine runs. */
export type Manifest = v.InferOutput<typeof ManifestSchema>;
/** A model of a hub. */
export type HubManifest = v.InferOutput<typeof HubManifestSchema>;
/** A LoRA adapter. */
export type AdapterManifest = v.InferOutput<typeof AdapterManifestSchema>;
export type PackageManifest = Manifest | HubManifest | AdapterManifest;
/** What runs a package: this project's engine, alone or beside a base, or a model hub's library (src/hub). */
export type PackageArchitecture = PackageManifest["model"]["architecture"];

type Result<M> = { readonly ok: true; readonly manifest: M } | { readonly ok: false; readonly problem: string };
export type ManifestResult = Result<Manifest>;

/** Parses and checks the manifest of a model: shards must cover each file without gap or overlap, and every graph's file must be listed. */
export function parseManifest(json: unknown): ManifestResult {
  const parsed = v.safeParse(ManifestSchema, json);
  if (!parsed.success) return { ok: false, problem: firstIssue(parsed.issues) };
  return checkFiles(parsed.output, graphPaths(parsed.output));
}

/** Parses and checks a manifest of any kind. */
export function parsePackageManifest(json: unknown): Result<PackageManifest> {
  const kind = v.safeParse(v.looseObject({ model: v.looseObject({ architecture: v.string() }) }), json);
  if (kind.success && kind.output.model.architecture === "llava-adapter") return parseAdapterManifest(json);
  if (!kind.success || kind.output.model.architecture !== "transformers.js") return parseManifest(json);
  const parsed = v.safeParse(HubManifestSchema, json);
  if (!parsed.success) return { ok: false, problem: firstIssue(parsed.issues) };
  return checkFiles(parsed.output, []);
}

/** Parses and checks the manifest of an adapter. */
export function parseAdapterManifest(json: unknown): Result<AdapterManifest> {
  const parsed = v.safeParse(AdapterManifestSchema, json);
  if (!parsed.success) return { ok: false, problem: firstIssue(parsed.issues) };
  return checkFiles(parsed.output, adapterPaths(parsed.output));
}

export function isAdapterManifest(manifest: PackageManifest): manifest is AdapterManifest {
  return manifest.model.architecture === "llava-adapter";
}

export function isHubManifest(manifest: PackageManifest): manifest is HubManifest {
  return manifest.model.architecture === "transformers.js";
}

function firstIssue(issues: readonly [v.BaseIssue<unknown>, ...v.BaseIssue<unknown>[]]): string {
  return `${v.getDotPath(issues[0]) ?? "manifest"}: ${issues[0].message}`;
}

function checkFiles<M extends PackageManifest>(manifest: M, needed: readonly string[]): Result<M> {
  const paths = new Set<string>();
  for (const file of manifest.files) {
    if (paths.has(file.path)) return { ok: false, problem: `${file.path} is listed twice` };
    paths.add(file.path);
    let end = 0;
    for (const shard of file.shards) {
      if (shard.offset > end) return { ok: false, problem: `${file.path}: shards leave a gap at byte ${end}` };
      if (shard.offset < end) return { ok: false, problem: `${file.path}: shards overlap at byte ${shard.offset}` };
      end += shard.bytes;
    }
    if (end !== file.bytes) return { ok: false, problem: `${file.path}: shards hold ${end} of ${file.bytes} bytes` };
  }
  for (const path of needed) {
    if (!paths.has(path)) return { ok: false, problem: `${path} is needed by a graph but not listed` };
  }
  return { ok: true, manifest };
}

function adapterPaths({ adapter: { index, data, projector } }: AdapterManifest): string[] {
  return [index, data, ...(projector ? [projector.path, ...projector.data] : [])];
}

function graphPaths(manifest: Manifest): string[] {
  const graphs = [manifest.graphs.vision, manifest.graphs.embed, manifest.graphs.decoder];
  const paths = graphs.flatMap((graph) => [
    graph.path,
    ...graph.data,
    ...(graph.expanded ? [graph.expanded.path, graph.expanded.recipe] : []),
    ...(graph.replayable === undefined ? [] : [graph.replayable]),
    ...(graph.adaptable ? [graph.adaptable.path] : []),
    ...(graph.adaptable?.expanded === undefined ? [] : [graph.adaptable.expanded]),
  ]);
  return manifest.selfTest === undefined ? paths : [...paths, manifest.selfTest];
}

/** Files that are read at load, besides those of the graphs. */
const readAtLoad = new Set([
  ..."config.json generation_config.json preprocessor_config.json tokenizer.json tokenizer_config.json".split(" "),
]);

/** Whether an answer can depend on the file. A package works without the others, such as README.md. */
export function isNeeded(manifest: PackageManifest, path: string): boolean {
  // Of a hub's repository only files that transformers.js reads were chosen.
  if (isHubManifest(manifest)) return true;
  if (isAdapterManifest(manifest)) return adapterPaths(manifest).includes(path);
  const ownTemplate = manifest.model.template === "chat_template" && path.startsWith("chat_template.");
  return ownTemplate || readAtLoad.has(path) || graphPaths(manifest).includes(path);
}

/** Bytes of all files of the package, without the manifest. */
export function packageBytes(manifest: PackageManifest): number {
  return manifest.files.reduce((sum, file) => sum + file.bytes, 0);
}
