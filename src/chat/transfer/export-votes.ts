// What was thought of answers, as lines in the manner of the log of LLaVA's demo. Pure.
import { toMessages, type Conversation, type Opinion } from "#chat/conversation/conversation.ts";
import type { Vote } from "#chat/conversation/vote.ts";
import { imagesOf, textOf, type LlavaSample } from "./export-llava.ts";

/** An opinion of one answer, or a vote between several; `tstamp` in seconds since 1970. */
type VoteLine =
  | {
      readonly tstamp: number;
      readonly type: "upvote" | "downvote" | "flag";
      readonly model: string;
      readonly state: LlavaSample["conversations"];
      readonly pictures: number;
    }
  | {
      readonly tstamp: number;
      readonly type: "vote";
      readonly models: readonly string[];
      readonly question: string;
      readonly pictures: number;
      readonly answers: readonly string[];
      readonly verdict: Vote["verdict"];
    };

const opinionTypes: Readonly<Record<Opinion, "upvote" | "downvote" | "flag">> = {
  up: "upvote",
  down: "downvote",
  flag: "flag",
};

/** Judged answers with what was said before them, then the votes side by side. */
export function toVoteLines(conversations: readonly Conversation[], votes: readonly Vote[]): VoteLine[] {
  const judged = conversations.flatMap(({ turns }) =>
    turns.flatMap((turn, index): VoteLine[] => {
      if (turn.role !== "assistant") return [];
      const opinions: Opinion[] = [
        ...(turn.opinion === undefined ? [] : [turn.opinion]),
        ...(turn.flagged ? ["flag" as const] : []),
      ];
      if (opinions.length === 0) return [];
      const messages = toMessages(turns.slice(0, index + 1));
      const state = messages.map((message) => ({
        from: message.role === "user" ? ("human" as const) : ("gpt" as const),
        value: textOf(message),
      }));
      const pictures = messages.reduce((sum, message) => sum + imagesOf(message).length, 0);
      const model = turn.model?.name ?? "unknown";
      const tstamp = (turn.at ?? 0) / 1000;
      return opinions.map((opinion) => ({ tstamp, type: opinionTypes[opinion], model, state, pictures }));
    }),
  );
  const compared = votes.map(({ at, question, pictures, answers, verdict }): VoteLine => ({
    tstamp: at / 1000,
    type: "vote",
    models: answers.map(({ model }) => model),
    question,
    pictures,
    answers: answers.map(({ text }) => text),
    verdict,
  }));
  return [...judged, ...compared];
}
