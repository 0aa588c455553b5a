// Asks the engine every held-out question in a conversation of its own, and scores its answer and the fp32 checkpoint's.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Engine } from "#engine/engine.ts";
import type { GenerateRequest } from "#engine/types.ts";
import type { Heldout, Question } from "./heldout.ts";
import { isAccepted } from "./score.ts";
import type { Result } from "./table.ts";

/** In tokens. */
const longestAnswer = 48;

/** A question with the package's answer and both scores. */
export interface Scored extends Result {
  readonly question: Question;
  readonly text: string;
}

/** Asks all questions picture by picture, so that each picture is encoded and prefilled once; calls `onDone` after each question. */
export async function answerAll(
  engine: Engine,
  { questions, pictures }: Heldout,
  onDone: (count: number) => void = () => undefined,
): Promise<Scored[]> {
  const byPicture = new Map<string, Question[]>();
  for (const question of questions) byPicture.set(question.image, [...(byPicture.get(question.image) ?? []), question]);
  const scored: Scored[] = [];
  for (const [image, questionsAboutIt] of byPicture) {
    const blob = new Blob([await readFile(join(pictures, image))]);
    for (const question of questionsAboutIt) {
      const text = await ask(engine, blob, question.text);
      scored.push({
        question,
        text,
        kind: question.kind,
        style: question.style,
        packageRight: isAccepted(question.answers, question.match, text),
        referenceRight: isAccepted(question.answers, question.match, question.reference),
      });
      onDone(scored.length);
    }
  }
  return scored;
}

async function ask(engine: Engine, blob: Blob, question: string): Promise<string> {
  const request: GenerateRequest = {
    messages: [
      {
        role: "user",
        parts: [
          { type: "image", blob },
          { type: "text", text: question },
        ],
      },
    ],
    sampling: { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1 },
    maxNewTokens: longestAnswer,
    stop: [],
  };
  let text = "";
  for await (const event of engine.generate(request)) if (event.type === "text") text += event.text;
  return text;
}
