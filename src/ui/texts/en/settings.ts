// English sentences about sampling and about the page as an app.
export const sampling = {
  preset: "Question type",
  presets: { conversation: "Conversation", detail: "Description", reasoning: "Reasoning" },
  presetQuestions: {
    conversation: "What is in this picture?",
    detail: "Describe this picture in detail.",
    reasoning: "What is unusual about this picture? Explain step by step.",
  },
  more: "More settings",
  off: "off",
  topK: "Top-k",
  topKHint: "Samples only from this many of the most likely tokens.",
  minP: "Min-p",
  minPHint: "Drops tokens less likely than this fraction of the most likely one.",
  repetitionPenalty: "Repetition penalty",
  repetitionPenaltyHint: "Higher values make repeated words less likely.",
  seed: "Seed",
  seedHint: "The same seed gives the same answer. Leave empty for a random one each time.",
  imageMode: "Non-square pictures",
  imageModes: { auto: "As trained", pad: "Pad", crop: "Crop", resize: "Stretch" },
  detail: "Picture detail",
  details: { auto: "Automatic", quick: "Quick look", every: "Every detail" },
  detailHint:
    "Some models can look at a picture piece by piece. That finds small print, and takes many times as long. Automatic does it on fast devices.",
  systemPrompt: "System prompt",
  systemPromptHint:
    "Placed before the conversation. Leave empty to use the one the model was trained with, which small models need.",
};

export const app = {
  install: "Install app",
  prepare: "Prepare while I type",
  prepareHint:
    "Processes pictures and your question before you send, so the answer starts sooner. Only on this device, never on a server.",
  updateReady: "A new version of this page is available.",
  update: "Reload now",
  updateLater: "Later",
  updateOtherTabs: "Other tabs still use the old version. Close them, then reload.",
};
