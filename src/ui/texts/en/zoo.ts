// English sentences about the model zoo, and about converting a checkpoint here.
import type { Source } from "#zoo/record.ts";

/** The second is for languages that count in hundreds of millions. */
type CountWords = (count: string, hundredMillions: string) => string;

const millions: CountWords = (count) => `${count} million`;
const billions: CountWords = (count) => `${count} billion`;

export const zoo = {
  title: "Model zoo",
  lead: (host: string) =>
    `Models for photos. Each is downloaded once from ${host} and made ready in this browser; your pictures stay on this device.`,
  search: "Search models",
  searchHint: "Name, skill, license, or base model",
  fits: "Fits this device",
  family: "Family",
  license: "License",
  language: "Language",
  noLicense: "license not stated",
  all: "All",
  families: {
    smolvlm: "SmolVLM",
    "llava-onevision": "LLaVA-OneVision",
    "llava-1.5": "LLaVA 1.5",
    "llava-1.6": "LLaVA 1.6",
    interleave: "LLaVA-Interleave",
    relatives: "By others",
    legacy: "First generations",
  },
  parts: "Adapters and other parts",
  skills: {
    photos: "everyday photos",
    text: "text in pictures",
    documents: "documents",
    charts: "charts",
    fine: "fine details",
    several: "several pictures",
    medicine: "medical images (for research)",
    "weak-devices": "quick on small devices",
  },
  /** Between skills. */
  separator: ", ",
  publishers: { "LLaVA model zoo": "LLaVA's model zoo", "model card": "its model card", repository: "its repository" },
  copyCommand: "Copy the command",
  shown: (shown: string, all: string) => `${shown} of ${all} models`,
  nothing: "No model matches.",
  clear: "Clear search and filters",
  best: "Best for this device",
  verdicts: { fits: "Fits", tight: "Barely fits", "wont-fit": "Doesn't fit" },
  fetched: "Download",
  kept: "Stored",
  memory: "Memory",
  about: (size: string) => `about ${size}`,
  engines: { own: "runs in this page's own engine", onnx: "runs in transformers.js" },
  engineWords: {
    own: "It is converted for this page's own engine while it downloads.",
    onnx: "This page's own engine doesn't know its architecture, so transformers.js runs it.",
  },
  notYetRun: "not yet run on its real weights",
  details: "Details",
  base: "Language model",
  parameters: "Parameters",
  millions,
  billions,
  context: "Context",
  tokens: (count: string) => `${count} tokens`,
  scores: (from: string) => `Published scores (${from})`,
  sources: "Weights",
  formats: {
    safetensors: "original weights",
    pytorch: "original weights",
    gguf: "GGUF",
    onnx: "ONNX",
  } satisfies Record<Source["format"], string>,
  getSource: (name: string, source: string) => `Download ${name} from ${source}`,
  goesWith: (base: string) => `Doesn't answer by itself. These commands put it together with ${base}:`,
  choose:
    "Several versions are published here. More bits per weight answer better and are a larger download. What each takes up on this device does not follow the same order.",
  recommended: "Recommended",
  chooseThis: "Choose",
  refused: "This model can't be converted here.",
  converterSays: (message: string) => `The converter says: ${message}`,
  offer: (downloaded: string, kept: string) => `Downloads ${downloaded}, stores ${kept}`,
  already: (size: string) => `${size} of it is here already.`,
  convertMemory: (size: string) => `Converting takes up to ${size} of memory.`,
  verified: "Every file is checked against the SHA-256 that the hub publishes.",
  notVerified: "This server publishes no hashes, so the files can't be checked.",
  notes: "What the converter chose",
  get: (size: string) => `Download and convert · ${size}`,
  converting: (name: string) => `Downloading and converting ${name}`,
  convertFailed: (name: string) => `${name} couldn't be converted.`,
  stages: { opening: "Reading the files' headers…", finishing: "Writing the last files…" },
  progress: (downloaded: string, converted: string, kept: string) =>
    `Downloaded ${downloaded} · converted ${converted} · stored ${kept}`,
  dropAgain: "Drop the same files again to continue.",
  gated: {
    401: (host: string) =>
      `${host} provides this model only to people who are signed in. Paste an access token of yours.`,
    403: (host: string) =>
      `${host} provides this model only to people who have accepted its license. Accept it there, then paste an access token of yours.`,
    page: "Open its page",
    token: "Access token",
    tokenHint: (host: string) =>
      `A token that may read is enough. It stays in this browser and is sent only to ${host}.`,
    use: "Use token",
    noToken: "This isn't a token. Copy it again, without spaces or quotation marks.",
    waiting: (name: string) => `${name} needs an access token.`,
  },
};
