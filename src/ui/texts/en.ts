// Every sentence of the page in English. The other languages have the same keys: a missing one is a compile error.
import type { FailureCode } from "#chat/conversation.ts";
import type { Stage } from "#engine/types.ts";
import type { PictureProblem } from "#chat/pictures.web.ts";
import type { DeviceNotice } from "#worker/api.ts";
import { compare } from "./en-compare.ts";
import { remote, remoteErrors } from "./en-remote.ts";
import { app, sampling } from "./en-settings.ts";
import { photos } from "./en-photos.ts";
import { storage } from "./en-storage.ts";
import { transfer } from "./en-transfer.ts";

const plural = (count: number, one: string, many: string): string => (count === 1 ? one : many);

const errors: Record<FailureCode, string> = {
  ...remoteErrors,
  "bad-package": "The model's files are incomplete or damaged. Start again to fetch them anew.",
  "bad-checkpoint": "This model was not converted correctly. Convert it again, then reload the page.",
  "bad-image": "This picture could not be opened. Save it again as PNG or JPEG and ask once more.",
  "bad-input": "The model can't take this question as it is. Shorten it or change the settings, then try again.",
  "context-full": "This conversation no longer fits into the model's memory. Start a new chat to go on.",
  "device-lost": "The graphics device went away in the middle of the work. Start again: your conversation stays.",
  "worker-dead": "The model stopped responding. Start again: your conversation stays.",
  numerics:
    "This device computes wrong numbers, so its answers could not be trusted. Update your browser or graphics driver, or open the page on another device.",
  "no-device":
    "The device that was asked for is not available here. Open the page without “?device=” in its address to let it choose.",
  "out-of-memory": "There was not enough memory. Close other tabs or applications, then start again.",
  network: "A file could not be fetched. Check your connection, then start again.",
  http: "The server did not give out one of the model's files. Try again in a moment.",
  integrity: "A file arrived damaged and was thrown away. Start again to fetch it anew.",
  quota: "The browser's storage is full. Free some space on this device, then start again.",
  storage: "The browser's storage failed. Leave private browsing or restart the browser, then start again.",
  insecure:
    "This page came over plain HTTP from another machine, so the browser can't check the model. Open it by HTTPS, or as localhost on the machine that serves it.",
  disk: "A file could not be read or written. Check the disk, then try again.",
  busy: "The model is still working on another answer. Wait for it to end, then try again.",
  internal: "Something went wrong that should not have. Try again; if it stays, reload the page.",
};

const notices: Record<DeviceNotice, string> = {
  "no-webgpu": "This browser has no WebGPU, so the model runs on the processor, which is slower.",
  "no-adapter": "The browser found no graphics device to use, so the model runs on the processor.",
  "software-adapter":
    "The only graphics device is emulated in software, so the model runs on the processor, which is faster.",
  "failed-self-test": "The graphics device computed wrong numbers in a self-test, so the model runs on the processor.",
  "webgpu-failed": "The graphics device could not load the model, so it runs on the processor.",
  "single-thread":
    "The page is not isolated from other sites, so it may use one processor thread only. Reloading once often helps.",
  "memory-only": "The model could not be stored. It works now, but has to be fetched again on your next visit.",
};

const stages: Record<Stage, string> = {
  image: "Opening the picture…",
  vision: "Looking at the picture…",
  prefill: "Reading the question…",
  decode: "Answering…",
};

const pictureProblems: Record<PictureProblem, (name: string) => string> = {
  heic: (name) => `Your browser can't open HEIC pictures such as “${name}”. Export it as JPEG and add that one.`,
  broken: (name) => `“${name}” is damaged and can't be opened. Try another copy of it.`,
  "not-a-picture": (name) =>
    `“${name}” is not a picture this browser can open. PNG, JPEG, WebP, GIF, AVIF and BMP work.`,
  unreadable: (name) => `“${name}” could not be read. Save it on this device first, then add it again.`,
  "not-fetched": (name) =>
    `“${name}” could not be fetched: the address is wrong, or its server lets no other page read it. Save the picture, then drop it here.`,
};

const history = {
  title: "Conversations",
  show: "Show conversations",
  hide: "Hide conversations",
  search: "Search conversations",
  empty: "What you ask is kept here, on this device.",
  noMatch: (words: string) => `Nothing here says “${words}”.`,
  untitled: "Untitled conversation",
  options: (title: string) => `What to do with “${title}”`,
  rename: "Rename",
  renameLabel: "Name of the conversation",
  delete: "Delete",
  deleted: "The conversation was deleted.",
  turnsDeleted: "The question and its answer were deleted.",
  undo: "Undo",
  dismiss: "Dismiss",
  joined: "Another tab went on with this conversation. Both ways are kept: page between them with the arrows.",
  found: (count: number) => plural(count, "1 conversation", `${count} conversations`),
};

const turnTools = {
  edit: "Edit the question",
  editLabel: "The question in new words",
  askEdited: "Ask this instead",
  cancel: "Cancel",
  addPicture: "Add a picture to it",
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
  `The address of this page asks for “${wanted}”, which is not on this device. ${here} answers instead.`;

const opinions = {
  title: "What do you think of this answer?",
  up: "Good answer",
  down: "Bad answer",
  flag: "Flag this answer",
};

const budget = {
  used: (used: string, total: string) => `About ${used} of ${total} tokens of the model's memory`,
  full: "The next answer has no room left in the model's memory.",
  forget: "Leave out the oldest turns",
  forgetAndAsk: "Ask without the oldest turns",
  anew: "Start anew with this question",
};

const pictures = {
  view: (name: string) => `View ${name} larger`,
  viewer: "Picture",
  zoomIn: "Zoom in",
  zoomOut: "Zoom out",
  zoomReset: "Whole picture",
  previous: "Picture before",
  next: "Picture after",
  crop: "Crop",
  cropTitle: "Crop the picture",
  cropHint: "Draw a frame over the picture, or move its edges here.",
  cropLeft: "Left edge",
  cropTop: "Top edge",
  cropRight: "Right edge",
  cropBottom: "Bottom edge",
  percent: (value: string) => `${value} %`,
  cropDone: "Use this part",
  cropFailed: "The picture could not be cropped. Use it whole, or crop it elsewhere.",
  more: "Camera or web address",
  camera: "Take a photo",
  urlLabel: "Address of a picture",
  urlPlaceholder: "https://…",
  urlAdd: "Fetch",
  urlHint: "Its server learns that you fetch it, and has to allow other pages to read it.",
};

const shortcuts = {
  title: "Keyboard shortcuts",
  send: "Send",
  newLine: "New line",
  stop: "End the answer",
  focus: "Go to the question box",
  newChat: "Start a new chat",
  search: "Search conversations",
  editLast: "Edit the last question (in an empty question box)",
  page: "Show this help",
  zoom: "Zoom in a picture",
  move: "Move in a picture, or to the next one",
  or: "or",
};

export const en = {
  /** For `<html lang>`, number formats and plurals. */
  tag: "en",
  languageName: "English",
  skipToComposer: "Skip to the question box",

  heroTitle: "Drop a picture. Ask away.",
  heroLead: (model: string) => `${model} looks at it and answers right here, on your own device.`,
  dropTitle: "Drop a picture here",
  dropHint: "or paste one, or",
  dropButton: "choose a file",
  chooseTitle: "Choose a picture",
  chooseHint: "or take one with the camera",
  dropOverlay: "Drop it anywhere",
  privacy: "Nothing leaves this device: no server, no account.",
  knowsPictograms: (model: string) =>
    `${model} is tiny. It knows pictograms, plain shapes and printed words. It does not know photographs.`,
  knowsPhotographs: (model: string) => `${model} can look at photographs, drawings, screenshots and text.`,
  examplesTitle: "Or try one of these",
  examplePicture: "Example picture",

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
  composerHint: "Enter sends, Shift + Enter starts a new line, Escape stops.",
  openingPictures: (count: number) => plural(count, "Opening the picture…", `Opening ${count} pictures…`),
  exampleFailed: "The example picture could not be fetched. Check your connection, then try again.",

  queued: "Waiting for the model to get ready…",
  stages,
  answering: "Answering…",
  stopped: "Stopped.",
  cutOffByContext:
    "The answer ends here, because the conversation fills the model's memory. Start a new chat to go on.",
  cutOff: "The answer reached the longest length allowed. You can raise it in the settings.",
  emptyAnswer: "The model had nothing to say. Try asking in other words.",
  copy: "Copy answer",
  copyCode: "Copy code",
  code: "Code",
  copied: "Copied",
  copyFailed: "The browser did not allow copying.",
  tryAgain: "Try again",
  startAgain: "Start again",
  announceAnswering: "Answering",
  announceAnswer: (text: string) => `Answer: ${text}`,

  tokensPerSecond: (rate: string) => `${rate} tokens/s`,
  firstToken: (time: string) => `first token after ${time}`,
  seconds: (value: string) => `${value} s`,
  milliseconds: (value: string) => `${value} ms`,
  details: "Details",
  detailsTitle: "How this answer was made",
  timingImage: "Picture",
  timingVision: "Vision",
  timingPrefill: "Prefill",
  timingDecode: "Decode",
  timingTotal: "Total",
  tokensRead: "Prompt tokens",
  tokensReadValue: (total: string, cached: string) => `${total} (${cached} cached)`,
  tokensPictures: "Image tokens",
  tokensWritten: "New tokens",

  modelStatus: "Model and device",
  loading: "Loading",
  failed: "Not ready",
  loadingModel: (model: string) => `Getting ${model} ready`,
  bytesOf: (loaded: string, total: string) => `${loaded} of ${total} MB`,
  checkingStored: "Looking at what is already here…",
  startingPart: {
    vision: "Starting the vision tower…",
    embed: "Starting the token embeddings…",
    decoder: "Starting the language model…",
    "self-test": "Checking the numbers…",
  },
  deviceNames: { webgpu: "WebGPU", wasm: "WASM", cpu: "CPU", remote: remote.device },
  threads: (count: number) => plural(count, "1 thread", `${count} threads`),
  unnamedAdapter: "graphics device",
  runsOn: "Runs on",
  loadTime: "Ready after",
  context: "Context",
  tokens: (count: string) => `${count} tokens`,
  perPicture: "Per picture",
  offlineReady: "Works offline",
  offlineReadyHint: "Page, runtime and model are stored here. It works with the network off.",
  notSaved: "This browser keeps no data for the page: the conversation is gone when you leave.",

  settings: "Settings",
  theme: "Theme",
  themes: { system: "System", light: "Light", dark: "Dark" },
  toLight: "Switch to the light theme",
  toDark: "Switch to the dark theme",
  language: "Language",
  answers: "Answers",
  greedy: "Deterministic (greedy)",
  greedyHint: "The same question gets the same answer. Best for small models.",
  temperature: "Temperature",
  temperatureHint: "Higher is more surprising.",
  topP: "Top-p",
  topPHint: "Only the most likely words that make up this share are considered.",
  maxNewTokens: "Longest answer, in tokens",
  resetSettings: "Back to the defaults",
  close: "Close",

  about: "About and licences",
  benchLink: "How fast is it on this device? Measure it",
  aboutLead:
    "llava-web is LLaVA, the open large language-and-vision assistant, as a web page. It is free software under the Apache License 2.0.",
  modelTitle: "The model",
  modelFacts: (model: string, parameters: number) =>
    `${model} is a genuine LLaVA at pocket size: a CLIP-style vision tower, a two-layer projector and a Llama decoder, ${(parameters / 1e6).toFixed(1)} million parameters in all. It was trained from scratch on synthetic pictures, in this project.`,
  modelCan: "It can name, count, locate and compare pictograms, tell their colours, and read printed words.",
  modelCannot:
    "It does not know photographs, people, places or the world, and it makes mistakes. Check anything that matters.",
  modelCard: "The model card, with measured figures",
  artTitle: "Pictograms it learned from",
  methodTitle: "The method",
  librariesTitle: "Libraries in this page",
  license: "Licence",
  partFailed: "A part of the page could not be fetched. Check your connection, then reload the page.",
  compare,
  remote,
  app,
  sampling,
  photos,
  storage,
  transfer,
  errors,
  notices,
  pictureProblems,
  history,
  turnTools,
  opinions,
  unknownModel,
  budget,
  pictures,
  shortcuts,
};

/** What every language has to say. */
export type Texts = typeof en;
