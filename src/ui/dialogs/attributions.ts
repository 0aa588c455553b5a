// Whom this page and its model owe: the same names and licences as the NOTICE file, which a test compares with this list.

export interface Attribution {
  readonly name: string;
  readonly holder: string;
  readonly license: string;
  readonly url: string;
}

/** The pictograms that Pocket LLaVA learned from. */
export const artAttributions: readonly Attribution[] = [
  { name: "Noto Emoji", holder: "Google", license: "Apache-2.0", url: "https://github.com/googlefonts/noto-emoji" },
  {
    name: "Twemoji",
    holder: "Twitter and other contributors",
    license: "CC-BY 4.0",
    url: "https://github.com/jdecked/twemoji",
  },
  { name: "Fluent Emoji", holder: "Microsoft", license: "MIT", url: "https://github.com/microsoft/fluentui-emoji" },
];

/** The papers this project follows. */
export const methodAttributions: readonly Attribution[] = [
  {
    name: "Visual Instruction Tuning",
    holder: "Liu, Li, Wu, Lee, 2023",
    license: "arXiv:2304.08485",
    url: "https://arxiv.org/abs/2304.08485",
  },
  {
    name: "Improved Baselines with Visual Instruction Tuning",
    holder: "Liu, Li, Li, Lee, 2023",
    license: "arXiv:2310.03744",
    url: "https://arxiv.org/abs/2310.03744",
  },
];

/** The libraries whose code is in the page. */
export const libraryAttributions: readonly Attribution[] = [
  { name: "ONNX Runtime Web", holder: "Microsoft", license: "MIT", url: "https://onnxruntime.ai" },
  { name: "Comlink", holder: "Google", license: "Apache-2.0", url: "https://github.com/GoogleChromeLabs/comlink" },
  {
    name: "idb-keyval",
    holder: "Jake Archibald",
    license: "Apache-2.0",
    url: "https://github.com/jakearchibald/idb-keyval",
  },
  { name: "Preact", holder: "Jason Miller and the Preact authors", license: "MIT", url: "https://preactjs.com" },
  {
    name: "Preact Signals",
    holder: "Jason Miller and the Preact authors",
    license: "MIT",
    url: "https://github.com/preactjs/signals",
  },
  {
    name: "markdown-it",
    holder: "Vitaly Puzrin, Alex Kocharin and contributors",
    license: "MIT",
    url: "https://github.com/markdown-it/markdown-it",
  },
  {
    name: "markdown-it-cjk-friendly",
    holder: "Tatsunori Uchino",
    license: "MIT",
    url: "https://github.com/tats-u/markdown-cjk-friendly",
  },
  {
    name: "highlight.js",
    holder: "Ivan Sagalaev and contributors",
    license: "BSD-3-Clause",
    url: "https://highlightjs.org",
  },
  { name: "KaTeX", holder: "Khan Academy and contributors", license: "MIT", url: "https://katex.org" },
  { name: "fflate", holder: "Arjun Barrett", license: "MIT", url: "https://github.com/101arrowz/fflate" },
  {
    name: "@huggingface/tokenizers",
    holder: "Hugging Face",
    license: "Apache-2.0",
    url: "https://github.com/huggingface/tokenizers.js",
  },
  {
    name: "Transformers.js",
    holder: "Hugging Face",
    license: "Apache-2.0",
    url: "https://github.com/huggingface/transformers.js",
  },
  {
    name: "@huggingface/jinja",
    holder: "Hugging Face",
    license: "MIT",
    url: "https://github.com/huggingface/huggingface.js",
  },
  { name: "valibot", holder: "Fabian Hiller", license: "MIT", url: "https://valibot.dev" },
  { name: "Workbox", holder: "Google", license: "MIT", url: "https://github.com/GoogleChrome/workbox" },
];
