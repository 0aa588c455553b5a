// Reads what the chat exports about answers: votes on models side by side, and answers that were praised, blamed or flagged.
import * as v from "valibot";
import { parseVotes, Vote } from "#chat/conversation/vote.ts";
import { parseJson } from "#formats/json.ts";
import { parseJsonLines, withoutMark } from "#eval/files/json-lines.ts";
import type { FileProblem } from "#eval/files/problems.ts";

export type Opinion = "up" | "down" | "flag";

/** A question of the chat with the answers that were judged. */
export interface JudgedQuestion {
  readonly question: string;
  /** What was said before, oldest first. */
  readonly earlier: readonly string[];
  readonly answers: readonly { readonly model: string; readonly text: string; readonly failed: boolean }[];
  /** Index of the best answer, or that none is. */
  readonly verdict?: Vote["verdict"];
  readonly opinion?: Opinion;
}

export interface VoteFile {
  readonly name: string;
  readonly questions: readonly JudgedQuestion[];
  readonly problems: readonly FileProblem[];
}

const OpinionLine = v.object({
  type: v.picklist(["upvote", "downvote", "flag"]),
  model: v.string(),
  state: v.array(v.object({ from: v.string(), value: v.string() })),
});
const VoteLine = v.object({
  type: v.literal("vote"),
  models: v.array(v.string()),
  question: v.string(),
  answers: v.array(v.string()),
  verdict: Vote.entries.verdict,
});
const opinions = { upvote: "up", downvote: "down", flag: "flag" } as const;

/** Votes as the comparison saves them, or the lines that the export of votes writes; undefined where the text is neither. */
export function parseVoteFile(text: string, name: string): VoteFile | undefined {
  const saved = v.safeParse(v.object({ votes: v.unknown() }), parseJson(withoutMark(text)));
  if (saved.success) {
    const questions = parseVotes(saved.output.votes).map(fromVote);
    return questions.length === 0 ? undefined : { name, questions, problems: [] };
  }
  const { rows, broken, cut } = parseJsonLines(text);
  const questions = rows.flatMap(({ value }) => fromLine(value) ?? []);
  if (questions.length === 0) return undefined;
  const problems: FileProblem[] = [];
  if (cut) problems.push({ kind: "cut", file: name });
  if (broken.length > 0) problems.push({ kind: "broken", file: name, count: broken.length, first: broken[0] ?? 0 });
  return { name, questions, problems };
}

function fromVote({ question, answers, verdict }: Vote): JudgedQuestion {
  return {
    question,
    earlier: [],
    answers: answers.map(({ model, text, failed }) => ({ model, text, failed: failed ?? false })),
    verdict,
  };
}

function fromLine(value: unknown): JudgedQuestion | undefined {
  const vote = v.safeParse(VoteLine, value);
  if (vote.success) {
    const { question, models, answers, verdict } = vote.output;
    return {
      question,
      earlier: [],
      answers: answers.map((text, i) => ({ model: models[i] ?? "", text, failed: false })),
      verdict,
    };
  }
  const opinion = v.safeParse(OpinionLine, value);
  if (!opinion.success) return undefined;
  const { type, model, state } = opinion.output;
  const [answer, question] = [state.at(-1)?.value ?? "", state.at(-2)?.value ?? ""];
  return {
    question,
    earlier: state.slice(0, -2).map(({ value: said }) => said),
    answers: [{ model, text: answer, failed: false }],
    opinion: opinions[type],
  };
}
