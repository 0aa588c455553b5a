// Brings answers and questions together by id, and says in sentences what does not fit. Knows no benchmark.
import type { Answer, AnswerFile } from "#eval/files/answers.ts";
import { count, isAre } from "#eval/files/problems.ts";

export interface Paired {
  /** The last answer to each question that is known. */
  readonly byId: ReadonlyMap<string, Answer>;
  readonly notes: readonly string[];
}

/**
 * Pairs answers with questions. Throws a sentence where the answers are of another benchmark: none of them, or fewer than one in twenty, answers a
 * question of this one.
 */
export function pair(file: AnswerFile, ids: Iterable<string>, benchmark: string, missingText: string): Paired {
  const known = new Set(ids);
  const byId = new Map<string, Answer>();
  let [unknown, twice] = [0, 0];
  for (const answer of file.answers) {
    if (!known.has(answer.id)) unknown++;
    else if (byId.has(answer.id)) twice++;
    if (known.has(answer.id)) byId.set(answer.id, answer);
  }
  if (byId.size === 0 || unknown > 19 * byId.size) throw wrongFile(file, byId.size, known.size, benchmark);
  const missing = known.size - byId.size;
  const notes = [...file.notes];
  if (missing > 0) notes.push(`${count(missing, "question")} of ${known.size.toLocaleString("en")} ${missing === 1 ? "has" : "have"} no answer in ${file.name}: ${missingText}.`); // prettier-ignore
  if (unknown > 0)
    notes.push(
      `${count(unknown, "answer")} of ${file.name} ${isAre(unknown)} to no question of ${benchmark} and left out.`,
    );
  if (twice > 0) notes.push(twiceNote(file, twice));
  return { byId, notes };
}

/** What is thrown for answers to another benchmark's questions. */
export function wrongFile(file: AnswerFile, fitting: number, questions: number, benchmark: string): Error {
  return new Error(
    `${file.name} does not look like answers to ${benchmark}: ${fitting === 0 ? "none" : `only ${fitting}`} of its ` +
      `${count(file.answers.length, "answer")} ${fitting === 0 ? "has an id" : "have ids"} of the ${count(questions, "question")}. ` +
      `Check the benchmark's name, --answers and --data.`,
  );
}

/** The sentence about ids that come several times, where the last answer counts. */
function twiceNote(file: AnswerFile, twice: number): string {
  return `${count(twice, "answer")} of ${file.name} ${twice === 1 ? "repeats an id" : "repeat ids"}; the last answer to a question counts.`;
}
