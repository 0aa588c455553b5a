// The soft accuracy of VQA: an answer counts for what share of people, one left out in turn, gave it; three of them make it right.

/** By answer of the people, the mean over each person left out of min(1, others who gave it / 3). */
export function softScores(answers: readonly string[]): ReadonlyMap<string, number> {
  const scores = new Map<string, number>();
  for (const wanted of new Set(answers)) {
    let sum = 0;
    for (const leftOut of answers.keys()) {
      const others = answers.filter((answer, i) => i !== leftOut && answer === wanted).length;
      sum += Math.min(1, others / 3);
    }
    scores.set(wanted, sum / answers.length);
  }
  return scores;
}
