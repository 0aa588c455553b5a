// English sentences about sampling and about the page as an app.
export const sampling = {
  preset: "Question",
  presets: { conversation: "Conversation", detail: "Description", reasoning: "Reasoning" },
  presetQuestions: {
    conversation: "What is in this picture?",
    detail: "Describe this picture in detail.",
    reasoning: "What is unusual about this picture? Explain step by step.",
  },
  more: "More settings",
  off: "off",
  topK: "Top-k",
  topKHint: "Only this many of the most likely words are considered.",
  minP: "Min-p",
  minPHint: "Words less likely than this share of the most likely one are left out.",
  repetitionPenalty: "Repetition penalty",
  repetitionPenaltyHint: "Higher makes words that were said before less likely.",
  seed: "Seed",
  seedHint: "The same number gives the same answer. Empty: another one every time.",
  imageMode: "Pictures that are not square",
  imageModes: { auto: "As trained", pad: "Pad", crop: "Crop", resize: "Stretch" },
  systemPrompt: "System prompt",
  systemPromptHint:
    "Stands before the conversation. Empty: the one the model was trained with, which small models need.",
};

export const app = {
  install: "Install as an app",
  prepare: "Prepare while I type",
  prepareHint:
    "Looks at pictures and reads the question before you send it, so that the answer starts sooner. Only on this device, never on a server.",
  updateReady: "A new version of this page is ready.",
  update: "Reload now",
  updateLater: "Later",
  updateOtherTabs: "Other tabs still use the old version. Close them, then reload.",
};
