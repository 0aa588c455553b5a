// English sentences about the pictures of a chat, suggested questions and the languages that a model reads.
const plural = (count: number, one: string, many: string): string => (count === 1 ? one : many);

export const chat = {
  choosePicture: "Choose a picture",
  dropAnywhere: "or drop or paste one anywhere",
  readsOnly: (model: string, languages: string) => `Ask it in ${languages}: ${model} reads no other language.`,
  askShort: "Ask…",
  askIn: (language: string) => `Ask about the picture, in ${language}…`,
  examplesIn: (language: string) => `Or try one of these, asked in ${language}`,

  askTitle: "What would you like to know?",
  suggested: "Suggested questions",
  suggestedIn: (language: string) => `Suggested questions, in ${language}`,
  suggestions: {
    basics: ["What is this?", "Describe the picture.", "What does it say?"],
    photographs: ["What is in this picture?", "What does it say?", "What is unusual about it?"],
    several: ["What is different between them?", "What do they have in common?"],
  },
  describe: (count: number) => plural(count, "Describe this picture.", "Describe these pictures."),

  opening: (name: string) => `Opening ${name}…`,
  cancel: (name: string) => `Don't open ${name}`,
  tryAgainWith: (name: string) => `Try again: ${name}`,
  remove: "Remove",
  crop: "Crop",
  cropOne: (name: string) => `Crop ${name}`,

  pictures: "Pictures of this chat",
  showPicture: (index: number, name: string) => `Show picture ${index}: ${name}`,
  part: "Ask about a part",
  partTitle: "Ask about a part of the picture",
  partHint: "Draw a frame around the part you mean, or move its edges here. It goes with your next question.",
  partDone: "Use this part",

  sameAnswer: "The model gave the same answer again.",
  toEnd: "Go to the end",
  shortcuts: "Keyboard shortcuts",

  languageNote: (model: string, reads: string, asked: string) =>
    `${model} reads ${reads} only and can't make sense of a question in ${asked}.`,
  modelReads: (model: string, language: string) => `${model} reads ${language}.`,
  useModel: (model: string) => `Use ${model}`,
  seeModels: "See models",
};
