// English, about models side by side.
export const compare = {
  open: "Side by side",
  title: "Models side by side",
  lead: "Two or more models answer the same question. Servers answer at the same time; models on this device take turns, because they share it.",
  models: "Who answers",
  question: "Question",
  ask: "Ask them all",
  best: "This one is best",
  adopt: "Continue with this one",
  tie: "Equally good",
  none: "None is good",
  kept: (count: number) =>
    count === 1
      ? "Your vote is kept in this browser."
      : `Your vote is kept in this browser, with ${count - 1} before it.`,
  export: "Download the votes",
};
