// Whether an answer to a held-out question is right, by the rules of training/score.py (described in training/README.md).

/** The ways in which an answer is compared with the accepted ones. */
export const matches = ["contains", "first", "place", "relation"] as const;
export type Match = (typeof matches)[number];

const placeWords: ReadonlyMap<string, string> = new Map([
  ["top", "top"],
  ["bottom", "bottom"],
  ["left", "left"],
  ["right", "right"],
  ["centre", "centre"],
  ["center", "centre"],
  ["middle", "centre"],
]);
const relationWords: ReadonlySet<string> = new Set(["left", "right", "above", "below"]);

/** The answer's words of letters and digits, in lower case. */
export function answerWords(text: string): string[] {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9 ]/g, " ")
    .split(" ")
    .filter((word) => word !== "");
}

/** Whether `text` is one of the accepted answers. */
export function isAccepted(accepted: readonly string[], match: Match, text: string): boolean {
  const words = answerWords(text);
  const answers = accepted.map((answer) => answerWords(answer).join(" "));
  switch (match) {
    case "contains": {
      const padded = ` ${words.join(" ")} `;
      return answers.some((answer) => padded.includes(` ${answer} `));
    }
    case "first":
      return words[0] !== undefined && answers.includes(words[0]);
    case "place": {
      const named = placesIn(words);
      return answers.some((answer) => placesIn(answer.split(" ")) === named);
    }
    case "relation": {
      const found = words.find((word) => relationWords.has(word));
      return found !== undefined && answers.includes(found);
    }
  }
}

function placesIn(words: readonly string[]): string {
  const named = new Set(words.map((word) => placeWords.get(word)).filter((place) => place !== undefined));
  return [...named].sort().join(" ");
}
