// wllama on a package's weights, timed as a system of the bench. Runs in a page.
import type { Wllama } from "@wllama/wllama/esm/index.js";
import { imageSlot, renderPrompt } from "#engine/text/prompt.ts";
import type { Message } from "#engine/types.ts";
import { Clock } from "../clock.ts";
import type { System } from "../measure.ts";

/** A chat template, in Jinja, for a prompt that is laid out already and comes as the parts of one message. */
export const joinedParts = "{% for part in messages[0].content %}{{ part.text }}{% endfor %}";

interface Chunk {
  readonly choices: readonly {
    readonly delta: { readonly content?: string | null };
    readonly finish_reason: string | null;
  }[];
}

/**
 * As its documentation has it: the whole conversation in, with the pictures' files, every time. It keeps its cache of the last conversation as far
 * as that began alike, and knows a picture again by its file. It scales a picture, then pads it to a square; LLaVA pads first.
 */
export function wllamaSystem(wllama: Wllama, template: string, longestAnswer: number): System<readonly Message[]> {
  const plain = { template, chatTemplate: undefined, bosToken: "", eosToken: "", defuse: (words: string) => words };
  return async (messages) => {
    const { text, images, stop } = renderPrompt(messages, plain);
    const files = await Promise.all(images.map(({ blob }) => blob.arrayBuffer()));
    const clock = new Clock();
    const pieces = text.replace(/^<s>/, "").split(imageSlot); // it begins with that token itself
    const content = pieces.flatMap((piece, i) => {
      const data = files[i - 1];
      return [...(data ? [{ type: "image" as const, data }] : []), { type: "text" as const, text: piece }];
    });
    let answer = "";
    const options = {
      messages: [{ role: "user" as const, content }],
      max_tokens: longestAnswer,
      temperature: 0,
      stop: [...stop],
      stream: true as const,
      onData: ({ choices }: Chunk) => {
        const piece = choices[0]?.delta.content ?? "";
        // The token that ends an answer counts, as this engine's does; the chunk that comes before the first has none.
        if (piece !== "" || choices[0]?.finish_reason === "stop") clock.tick();
        answer += piece;
      },
    };
    await wllama.createChatCompletion(options);
    return clock.told(answer);
  };
}
