// ScienceQA's questions as LLaVA converts them: conversations, some with a picture, whose mark is part of the answer line's prompt.
import * as v from "valibot";
import { parseJson } from "#formats/json.ts";
import type { Question } from "./benchmark.ts";

const Rows = v.array(
  v.object({
    id: v.union([v.string(), v.number()]),
    image: v.optional(v.string()),
    conversations: v.pipe(v.array(v.object({ value: v.string() })), v.minLength(1)),
  }),
);

const ending = "Answer with the option's letter from the given choices directly.";

export function parseScienceQa(text: string): Question[] {
  const parsed = v.safeParse(Rows, parseJson(text));
  if (!parsed.success)
    throw new Error("The question file is no list of ScienceQA's conversations, {id, image, conversations}.");
  return parsed.output.map(({ id, image, conversations }): Question => {
    const question = (conversations[0]?.value ?? "").replaceAll("<image>", "").trim();
    const asked = `${question}\n${ending}`;
    return {
      id,
      text: asked,
      prompt: image === undefined ? asked : `<image>\n${asked}`,
      picture: image === undefined ? undefined : { kind: "file", path: image },
    };
  });
}
