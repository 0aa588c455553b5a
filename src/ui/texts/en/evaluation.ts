// English, of the page that asks a model a benchmark's questions. Apart from the chat's texts, so that neither page loads the other's.
import type { EvaluationState, Trouble } from "#evaluation/evaluation.ts";

const plural = (count: number, one: string, many: string): string => (count === 1 ? one : many);
const number = (value: number): string => value.toLocaleString("en");

const trouble = (one: Trouble): string => {
  switch (one.kind) {
    case "no-questions":
      return 'None of these files holds questions. A question file has lines such as {"question_id": 1, "image": "1.jpg", "text": "Is it red?"}.';
    case "no-pictures":
      return `None of the ${plural(one.of, "1 picture", `${number(one.of)} pictures`)} is here, for example ${one.example}. Add the folder they are in.`;
    case "not-kept":
      return "The browser's storage is full, so answers are not kept beyond this visit. Save them before you close the page.";
    case "damaged":
      return one.detail;
    case "stopped":
      return `The run stopped; all answers so far are kept. ${one.detail}`;
    case "not-scored":
      return `The answers can't be scored. ${one.detail}`;
  }
};

const phases: Readonly<Record<EvaluationState["phase"], string>> = {
  empty: "",
  ready: "Ready",
  loading: "Loading the model…",
  running: "Running",
  paused: "Paused",
  done: "Done",
};

export const evaluation = {
  tag: "en",
  title: "Evaluation",
  lead: "Ask a model on this device a benchmark's questions, with LLaVA's prompts, and score its answers.",
  drop: "Drop a question file and its pictures here",
  dropMore: "Add files",
  dropOverlay: "Drop it anywhere",
  hints: [
    "LLaVA's question lines, or a benchmark's own file: VQAv2, GQA, VizWiz, ScienceQA, TextVQA, POPE, MME, MMBench, SEED-Bench, LLaVA-Bench, MM-Vet, Q-Bench",
    "Drop the benchmark's whole folder: pictures and labels are found in it",
    'Lines with right answers ("answer", "answers", or "label") are scored without further files',
  ],
  hintsTitle: "What to drop",
  chooseFiles: "Choose files",
  chooseFolder: "Choose a folder",
  private: "Nothing leaves this device.",
  toChat: "To the chat",
  model: "Model",
  modelGone: (id: string) =>
    `The model ${id} isn't on this device any more. Download it again in the chat, or discard the run.`,
  questions: (count: number) => plural(count, "1 question", `${number(count)} questions`),
  picturesHere: (count: number) => plural(count, "1 picture", `${number(count)} pictures`),
  start: "Start",
  resume: "Continue",
  pause: "Pause",
  tryAgain: "Ask the failed ones again",
  save: "Save answers",
  view: "Look through them",
  discard: "Discard",
  phases,
  progress: (done: number, total: number) => `${number(done)} of ${number(total)} answered`,
  pace: (perMinute: string, left: string) => `${perMinute} questions per minute, ${left} left`,
  left: (seconds: number) => {
    if (seconds < 90) return `${number(Math.round(seconds))} s`;
    const minutes = Math.round(seconds / 60);
    return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  },
  failed: (count: number) => `${plural(count, "1 question", `${number(count)} questions`)} couldn't be asked`,
  answers: "Answers",
  notYet: "…",
  figures: "Figures",
  figure: "Figure",
  value: "Value",
  items: "Questions",
  notes: "What does not fit",
  trouble,
};

export type EvaluationTexts = typeof evaluation;
