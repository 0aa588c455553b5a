// Every sentence of the page in English. The other languages have the same keys: a missing one is a compile error.
import type { FailureCode } from "#chat/conversation/conversation.ts";
import type { Stage } from "#engine/types.ts";
import type { PictureProblem } from "#chat/pictures/pictures.web.ts";
import type { DeviceNotice } from "#worker/api.ts";
import { chat } from "./chat.ts";
import { compare } from "./compare.ts";
import { remote, remoteErrors } from "./remote.ts";
import { app, sampling } from "./settings.ts";
import { photos } from "./photos.ts";
import { storage } from "./storage.ts";
import { kept } from "./kept.ts";
import { transfer } from "./transfer.ts";
import { weights } from "./weights.ts";
import { zoo } from "./zoo.ts";

const plural = (count: number, one: string, many: string): string => (count === 1 ? one : many);

const errors: Record<FailureCode, string> = {
  ...remoteErrors,
  "bad-package": "The model's files are incomplete or damaged. Start again to download them once more.",
  "bad-checkpoint": "This model wasn't converted correctly. Convert it again, then reload the page.",
  "bad-image": "This picture couldn't be opened. Save it as PNG or JPEG, then ask again.",
  "bad-input": "The model can't accept this question. Shorten it or change the settings, then try again.",
  "context-full": "This conversation is longer than the model's context. Start a new chat to continue.",
  "device-lost": "The connection to the GPU was lost. Start again; your conversation is kept.",
  "worker-dead": "The model stopped responding. Start again; your conversation is kept.",
  numerics:
    "This device computes wrong results, so its answers can't be trusted. Update your browser or graphics driver, or open the page on another device.",
  "no-device": "The requested device isn't available here. Remove “?device=” from the address to let the page choose.",
  "out-of-memory": "There isn't enough memory. Close other tabs or apps, then start again.",
  network: "A file couldn't be downloaded. Check your connection, then try again.",
  http: "The server didn't provide one of the model's files. Try again in a moment.",
  integrity: "A downloaded file was damaged and has been discarded. Try again to download it once more.",
  quota: "The browser's storage is full. Free up some space on this device, then try again.",
  storage: "The browser's storage failed. Leave private browsing or restart the browser, then try again.",
  insecure:
    "This page was loaded over plain HTTP, so the browser can't verify the model. Open it over HTTPS, or as localhost on the machine that serves it.",
  disk: "A file couldn't be read or written. Check the disk, then try again.",
  internal: "Something went wrong. Try again; if that doesn't help, reload the page.",
};

const notices: Record<DeviceNotice, string> = {
  "no-webgpu": "This browser doesn't support WebGPU, so the model runs on the CPU, which is slower.",
  "no-adapter": "The browser found no usable GPU, so the model runs on the CPU.",
  "software-adapter": "The only GPU is emulated in software, so the model runs directly on the CPU, which is faster.",
  "failed-self-test": "The GPU gave wrong results in a self-test, so the model runs on the CPU.",
  "webgpu-failed": "The GPU couldn't load the model, so it runs on the CPU.",
  "single-thread":
    "The page isn't cross-origin isolated, so it can use only one CPU thread. Reloading the page often helps.",
  "part-damaged":
    "A stored file of the model is damaged. Answers don't need it; it is downloaded again on your next visit with a network.",
  "memory-only":
    "The model couldn't be stored. Your conversations and other models are kept. It works now, but will be downloaded again on your next visit, unless you free up space under Manage models.",
};

const stages: Record<Stage, string> = {
  image: "Opening the picture…",
  vision: "Looking at the picture…",
  prefill: "Reading the question…",
  decode: "Answering…",
};

const pictureProblems: Record<PictureProblem, (name: string) => string> = {
  heic: (name) => `Your browser can't open HEIC pictures such as “${name}”. Export it as JPEG and add that instead.`,
  broken: (name) => `“${name}” is damaged and can't be opened. Try another copy.`,
  "not-a-picture": (name) =>
    `“${name}” isn't a picture this browser can open. PNG, JPEG, WebP, GIF, AVIF, and BMP work.`,
  "too-large": (name) => `“${name}” has more than 64 megapixels. Make it smaller and add it again.`,
  "too-slow": (name) => `“${name}” would take too long to open. Save it again in a photo editor and add the new copy.`,
  unreadable: (name) => `“${name}” couldn't be read. Save it on this device first, then add it again.`,
  "not-fetched": (name) =>
    `“${name}” couldn't be downloaded: the address is wrong, or its server doesn't let other sites read it. Save the picture, then drop it here.`,
  silent: (name) => `The server of “${name}” stopped sending. Try again later, or save the picture and drop it here.`,
};

/** The entry of the view in which a model is taught. */
const teachMenu = "Teach";

const history = {
  title: "Conversations",
  show: "Show conversations",
  hide: "Hide conversations",
  search: "Search conversations",
  empty: "Your conversations are kept here, on this device.",
  noMatch: (words: string) => `No conversation contains “${words}”.`,
  untitled: "Untitled conversation",
  options: (title: string) => `Options for “${title}”`,
  rename: "Rename",
  renameLabel: "Conversation name",
  delete: "Delete",
  deleted: "Conversation deleted.",
  turnsDeleted: "Question and answer deleted.",
  undo: "Undo",
  dismiss: "Dismiss",
  joined: "This conversation was also continued in another tab. Both versions are kept; use the arrows to switch.",
  today: "Today",
  yesterday: "Yesterday",
  lastDays: (days: number) => `Previous ${days} days`,
  earlier: "Earlier",
  found: (count: number) => plural(count, "1 conversation", `${count} conversations`),
};

const turnTools = {
  edit: "Edit the question",
  editLabel: "Edit your question",
  askEdited: "Send",
  cancel: "Cancel",
  addPicture: "Add a picture",
  deletePair: "Delete question and answer",
  regenerate: "Regenerate",
  continue: "Continue",
  previous: "Previous version",
  next: "Next version",
  alternative: (index: number, count: number) => `${index}/${count}`,
  alternativeLong: (index: number, count: number) => `Version ${index} of ${count}`,
  forgotten: "The model no longer sees messages above this line.",
};

const unknownModel = (wanted: string, here: string): string =>
  `This link asks for “${wanted}”, which isn't on this device. ${here} answers for now.`;

const opinions = {
  title: "Rate this answer",
  up: "Good answer",
  down: "Bad answer",
  flag: "Flag this answer",
};

const budget = {
  used: (used: string, total: string) => `About ${used} of ${total} tokens of context used`,
  full: "There is no room left in the context for the next answer.",
  forget: "Drop the oldest messages",
  forgetAndAsk: "Send without the oldest messages",
  anew: "Start a new chat with this question",
};

const pictures = {
  view: (name: string) => `Enlarge ${name}`,
  viewer: "Picture",
  zoomIn: "Zoom in",
  zoomOut: "Zoom out",
  zoomReset: "Fit to screen",
  previous: "Previous picture",
  next: "Next picture",
  crop: "Crop",
  cropTitle: "Crop the picture",
  cropHint: "Draw a frame on the picture, or adjust its edges below.",
  cropLeft: "Left edge",
  cropTop: "Top edge",
  cropRight: "Right edge",
  cropBottom: "Bottom edge",
  percent: (value: string) => `${value}%`,
  cropDone: "Use this part",
  cropFailed: "The picture couldn't be cropped. Use the whole picture, or crop it in another app.",
  more: "Camera or web address",
  camera: "Take a photo",
  urlLabel: "Picture address",
  urlPlaceholder: "https://…",
  urlAdd: "Add",
  urlHint: "The picture is downloaded from its server, which must allow other sites to read it.",
};

const shortcuts = {
  title: "Keyboard shortcuts",
  send: "Send",
  newLine: "New line",
  stop: "Stop the answer",
  focus: "Focus the message box",
  newChat: "New chat",
  search: "Search conversations",
  editLast: "Edit the last question (when the message box is empty)",
  page: "Show this list",
  zoom: "Zoom a picture",
  move: "Pan a picture, or go to the next one",
  or: "or",
};

export const en = {
  /** For `<html lang>`, number formats and plurals. */
  tag: "en",
  skipToComposer: "Skip to the message box",

  heroTitle: "Drop a picture. Ask away.",
  heroLead: (model: string) => `${model} looks at it and answers right here, on your device.`,
  dropOverlay: "Drop it anywhere",
  privacy: "Nothing leaves this device: no server, no account.",
  demoModel: "demo model",
  knowsBasics: (model: string) =>
    `${model} is a tiny demo model that comes with the page. It's good at pictograms, shapes, and short words. In photos it names the main thing, but often gets details wrong.`,
  knowsPhotographs: (model: string) => `${model} understands photos, drawings, screenshots, and text.`,
  examplesTitle: "Or try an example",
  examplePicture: "Example picture",
  photoBy: (holder: string, license: string) => `Photo: ${holder}, ${license}`,

  conversation: "Conversation",
  you: "You",
  assistant: "Answer",
  picture: (index: number, name: string) => `Picture ${index}: ${name}`,
  questionArea: "Your question",
  composerLabel: "Ask about the picture",
  composerPlaceholder: "Ask about the picture…",
  composerPlaceholderEmpty: "Add a picture, then ask…",
  addPictures: "Add pictures",
  removePicture: (name: string) => `Remove ${name}`,
  attached: "Pictures to send",
  send: "Send",
  stop: "Stop",
  newChat: "New chat",
  composerHint: "Enter to send, Shift + Enter for a new line, Escape to stop.",
  exampleFailed: "The example picture couldn't be downloaded. Check your connection, then try again.",

  queued: "Waiting for the model to load…",
  stages,
  stopped: "Stopped.",
  cutOffByContext: "The answer stops here because the model's context is full. Start a new chat to continue.",
  cutOff: "The answer reached the maximum length. You can raise it in Settings.",
  emptyAnswer: "The model gave an empty answer. Try rephrasing your question.",
  copy: "Copy answer",
  copyCode: "Copy code",
  code: "Code",
  copied: "Copied",
  copyFailed: "The browser blocked copying.",
  tryAgain: "Try again",
  startAgain: "Start again",
  announceAnswering: "Answering",
  announceAnswer: (text: string) => `Answer: ${text}`,

  tokensPerSecond: (rate: string) => `${rate} tokens/s`,
  firstToken: (time: string) => `first token in ${time}`,
  seconds: (value: string) => `${value} s`,
  milliseconds: (value: string) => `${value} ms`,
  details: "Details",
  detailsTitle: "How this answer was made",
  timingImage: "Image",
  timingVision: "Vision",
  timingPrefill: "Prefill",
  timingDecode: "Decode",
  timingTotal: "Total",
  tokensRead: "Prompt tokens",
  tokensReadValue: (total: string, cached: string) => `${total} (${cached} cached)`,
  tokensPictures: "Image tokens",
  tokensWritten: "Generated tokens",

  modelStatus: "Model and device",
  loading: "Loading",
  failed: "Not ready",
  loadingModel: (model: string) => `Loading ${model}`,
  bytesOf: (loaded: string, total: string) => `${loaded} of ${total} MB`,
  checkingStored: "Checking what is already stored…",
  startingPart: {
    vision: "Starting the vision encoder…",
    embed: "Starting the token embeddings…",
    decoder: "Starting the language model…",
    "self-test": "Running a self-test…",
  },
  deviceNames: { webgpu: "WebGPU", wasm: "WASM", cpu: "CPU", remote: remote.device },
  threads: (count: number) => plural(count, "1 thread", `${count} threads`),
  runsOn: "Runs on",
  loadTime: "Load time",
  context: "Context",
  tokens: (count: string) => `${count} tokens`,
  perPicture: "Per image",
  offlineReady: "Works offline",
  offlineReadyHint: "The page, runtime, and model are stored on this device and work without a network.",
  kept,

  settings: "Settings",
  theme: "Theme",
  themes: { system: "System", light: "Light", dark: "Dark" },
  toLight: "Switch to the light theme",
  toDark: "Switch to the dark theme",
  language: "Language",
  answers: "Answers",
  greedy: "Deterministic (greedy)",
  greedyHint: "The same question always gets the same answer. Best for small models.",
  temperature: "Temperature",
  temperatureHint: "Higher values give more varied answers.",
  topP: "Top-p",
  topPHint: "Samples only from the most likely tokens that together reach this probability.",
  maxNewTokens: "Maximum answer length (tokens)",
  resetSettings: "Reset to defaults",
  close: "Close",

  about: "About and licenses",
  evalLink: "Evaluate a model",
  reviewLink: "Answers side by side",
  benchLink: "Benchmark this device",
  aboutLead:
    "llava-web brings LLaVA, the open large language-and-vision assistant, to a web page. It is free software under the Apache License 2.0.",
  modelTitle: "Model",
  modelFacts: (model: string, parameters: number) =>
    `${model} is a genuine LLaVA at pocket size: a vision encoder of two experts (a CLIP-style one for drawings, an image classifier for photos), a two-layer projector, and a Llama decoder, ${(parameters / 1e6).toFixed(1)} million parameters in total. It was trained on composed pictures and on photos with captions.`,
  modelCan:
    "It can name, count, locate, and compare pictograms, tell their colors, and read short printed words. It tells photos from drawings, names common objects in photos, and describes simple scenes.",
  modelCannot:
    "In photos it mixes up details, counts, colors, and who does what. It doesn't know persons, places, or the world, and it makes mistakes. Check anything that matters.",
  modelTerms:
    "Its weights were trained on photos of Flickr8k and ImageNet, whose terms allow research and non-commercial use only, and the same goes for the weights. The model card says how to get the earlier weights under Apache-2.0, which know pictograms only.",
  modelCard: "Model card, with benchmark results",
  artTitle: "Pictures it was trained on",
  examplesCredit: "Example photos",
  methodTitle: "Method",
  librariesTitle: "Libraries used",
  partFailed: "Part of the page couldn't be loaded. Check your connection, then reload the page.",
  chat,
  compare,
  remote,
  app,
  sampling,
  photos,
  storage,
  zoo,
  transfer,
  weights,
  errors,
  notices,
  pictureProblems,
  history,
  teachMenu,
  turnTools,
  opinions,
  unknownModel,
  budget,
  pictures,
  shortcuts,
};

/** What every language has to say. */
export type Texts = typeof en;
