// A comparison from the question to the vote: who takes part, what is asked, the answers as they come, and which one won.
import { useEffect, useState } from "preact/hooks";
import { canWin, isComparing, mixed, toVote, type CompareColumn, type Comparison } from "#chat/compare.ts";
import { toMessages, type Picture, type Turn, type UserTurn } from "#chat/conversation/conversation.ts";
import type { Verdict, Vote } from "#chat/conversation/vote.ts";
import type { ModelChoice } from "#chat/models/models.ts";
import { toRequest, type Settings } from "#chat/settings.ts";

export interface CompareFeature {
  readonly comparison: Comparison;
  /** Keeps the vote; returns all votes. */
  readonly vote: (vote: Vote) => readonly Vote[];
}

export interface ComparingOptions {
  readonly compare: CompareFeature;
  readonly choices: readonly ModelChoice[];
  /** The chosen model: it takes part unless it is unticked. */
  readonly selectedId: string;
  /** What the models read before the question. */
  readonly turns: readonly Turn[];
  /** Not sent yet. */
  readonly draft: NewQuestion;
  readonly settings: Settings;
}

export interface NewQuestion {
  readonly text: string;
  readonly pictures: readonly Picture[];
}

export interface Comparing {
  readonly question: string;
  readonly setQuestion: (question: string) => void;
  readonly pictures: readonly Picture[];
  /** Ids of the models that take part. */
  readonly chosen: readonly string[];
  readonly setChosen: (ids: readonly string[]) => void;
  readonly blind: boolean;
  readonly setBlind: (blind: boolean) => void;
  readonly columns: readonly CompareColumn[];
  readonly isBusy: boolean;
  /** There is a question, and enough models to ask. */
  readonly isReady: boolean;
  /** The answers are there, and none has been voted for. */
  readonly canVote: boolean;
  /** The answers are there, but too few of them for a vote. */
  readonly hasTooFew: boolean;
  /** The names of the models are not shown yet. */
  readonly namesHidden: boolean;
  readonly voted: { readonly verdict: Verdict; readonly votes: readonly Vote[] } | undefined;
  /** The question that the columns answer, where the conversation does not end with it; undefined where it does. */
  readonly asked: { readonly question: NewQuestion | undefined } | undefined;
  readonly ask: () => void;
  readonly stop: () => void;
  readonly vote: (verdict: Verdict) => void;
}

/** Begins with the draft, or with the last question of the conversation. Stops what runs when the component goes. */
export function useComparing({ compare, choices, selectedId, turns, draft, settings }: ComparingOptions): Comparing {
  const { comparison } = compare;
  const last = turns.findLast((turn) => turn.role === "user");
  const fresh = draft.text.trim() !== "" || draft.pictures.length > 0;
  const [question, setQuestion] = useState(fresh || last === undefined ? draft.text : last.text);
  const [columns, setColumns] = useState<readonly CompareColumn[]>([]);
  const [chosen, setChosen] = useState<readonly string[]>(() => firstTwo(choices, selectedId));
  const [blind, setBlind] = useState(true);
  const [voted, setVoted] = useState<Comparing["voted"]>();
  /** `isLast`: the conversation's last question in its own words. */
  const [asked, setAsked] = useState<{ readonly text: string; readonly isLast: boolean; readonly blind: boolean }>();
  useEffect(() => comparison.subscribe(setColumns), [comparison]);
  useEffect(() => () => comparison.stop(), [comparison]);
  const isBusy = isComparing(columns);
  const pictures = fresh ? draft.pictures : (last?.pictures ?? []);
  const answered = columns.filter(({ turn }) => canWin(turn)).length;
  const isDone = columns.length > 0 && !isBusy;
  return {
    question,
    setQuestion,
    pictures,
    chosen,
    setChosen,
    blind,
    setBlind,
    columns,
    isBusy,
    isReady: chosen.length >= 2 && (question.trim() !== "" || pictures.length > 0),
    canVote: isDone && voted === undefined && answered >= 2,
    hasTooFew: isDone && answered < 2,
    namesHidden: asked?.blind === true && voted === undefined && (isBusy || answered >= 2),
    voted,
    asked: asked && { question: asked.isLast ? undefined : { text: asked.text, pictures } },
    ask() {
      const text = question.trim();
      setVoted(undefined);
      setAsked({ text, isLast: !fresh && last !== undefined && text === last.text, blind });
      // The last question asked again stands in its own place; a new one follows the conversation.
      const before = fresh || last === undefined ? turns : turns.slice(0, turns.indexOf(last));
      const asking: UserTurn = { role: "user", id: "compare", text, pictures };
      const request = toRequest(settings, toMessages([...before, asking]));
      const taking = choices.filter(({ id }) => chosen.includes(id));
      void comparison.run(blind ? mixed(taking) : taking, request);
    },
    stop: () => comparison.stop(),
    vote(verdict) {
      const about = { question: asked?.text ?? "", pictures: pictures.length };
      setVoted({ verdict, votes: compare.vote(toVote(columns, about, verdict, Date.now())) });
    },
  };
}

/** The chosen model and the first other one. */
function firstTwo(choices: readonly ModelChoice[], selectedId: string): readonly string[] {
  const ids = choices.map(({ id }) => id);
  return [selectedId, ...ids.filter((id) => id !== selectedId)].filter((id) => ids.includes(id)).slice(0, 2);
}
