// What a checkpoint brings along as a program, tried with the engine's own limits: its chat template and its tokenizer's patterns.
import { TemplateOutOfBounds, type RenderChat } from "#convert/text/chat-template.ts";
import type { TryTokenizer } from "#convert/text/check-tokens.ts";
import { EngineError } from "#engine/errors.ts";
import { renderTemplateSource } from "#engine/text/jinja.ts";
import { refuseEndlessPatterns } from "#engine/text/pattern-check.ts";

/** Renders with bounds on time, nesting and sizes. */
export const renderInJinja: RenderChat = async (source, contexts) => {
  await Promise.resolve();
  try {
    return contexts.map((context) => renderTemplateSource(source, context));
  } catch (error) {
    // The engine would refuse the package for it.
    if (error instanceof EngineError) throw new TemplateOutOfBounds(error.message);
    throw error;
  }
};

/** Tries patterns on short texts, as the engine does before it uses them. */
export const refuseEndless: TryTokenizer = async (tokenizer) => {
  await Promise.resolve();
  if (typeof tokenizer === "object" && tokenizer !== null) refuseEndlessPatterns(tokenizer);
};
