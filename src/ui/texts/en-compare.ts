// English, about models side by side.
export const compare = {
  open: "Compare models",
  title: "Compare models",
  lead: "Ask two or more models the same question. Models on servers answer at the same time; models on this device take turns.",
  models: "Models",
  question: "Question",
  ask: "Ask all",
  best: "This is best",
  adopt: "Continue with this one",
  tie: "Tie",
  none: "None is good",
  kept: (count: number) =>
    count === 1 ? "Vote saved in this browser." : `Vote saved in this browser (${count} in total).`,
  export: "Download votes",
};
