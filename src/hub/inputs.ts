// A conversation as the inputs of a hub model: the chat template's text, the processor's tokens and pixels. Knows no answer.
import { Tensor, type RawImage } from "@huggingface/transformers";
import { EngineError, errorCodeOf } from "#engine/errors.ts";
import { renderTemplateSource } from "#engine/text/jinja.ts";
import type { HubModel } from "./model.ts";
import { answerMessage, expandMarks, type TemplateChat } from "./prompt.ts";

/** The prompt's text with the model's own marks, up to where its answer begins, or up to where an unfinished answer goes on. */
export function renderTemplate(hub: HubModel, { messages, answerSoFar }: TemplateChat): string {
  if (answerSoFar === "") return render(hub, messages, true);
  // Only the template knows what stands between the question and the answer.
  const whole = render(hub, [...messages, answerMessage(answerSoFar, hub.style)], false);
  const at = whole.lastIndexOf(answerSoFar.trim());
  if (at < 0) throw new EngineError("bad-package", "the chat template loses the answer");
  return whole.slice(0, at + answerSoFar.trim().length);
}

function render({ processor, tokenizer, template }: HubModel, messages: unknown, forAnswer: boolean): string {
  refuseEndlessTemplate(template, { messages, add_generation_prompt: forAnswer });
  const rendered: unknown = (processor.tokenizer ? processor : tokenizer).apply_chat_template(
    messages as Parameters<Processor["apply_chat_template"]>[0],
    { add_generation_prompt: forAnswer, tokenize: false, chat_template: template },
  );
  if (typeof rendered !== "string") throw new EngineError("bad-package", "the chat template gives no text");
  return rendered;
}

/** The library's own rendering has no bound, so ours is tried first. All other faults of a template are left for the library to report. */
function refuseEndlessTemplate(template: string, variables: Readonly<Record<string, unknown>>): void {
  try {
    renderTemplateSource(template, { bos_token: "", eos_token: "", ...variables });
  } catch (error) {
    if (errorCodeOf(error) === "bad-package") throw error;
  }
}

type Processor = HubModel["processor"];

/** A model's inputs as the library's `generate` takes them. */
export interface ModelInputs extends Record<string, unknown> {
  readonly input_ids: Tensor;
}

/** The model's inputs for the prompt and its pictures; "bad-package" where processor or template do not fit together. */
export async function processInputs(hub: HubModel, prompt: string, images: RawImage[]): Promise<ModelInputs> {
  const { model, processor, tokenizer, kind, imageToken } = hub;
  // Some templates write the first token themselves, others leave it to the tokenizer.
  const begun = typeof tokenizer.bos_token === "string" && prompt.startsWith(tokenizer.bos_token);
  const plain = (text: string): ModelInputs => checked(tokenizer(text, { add_special_tokens: !begun }));
  if (images.length === 0) return plain(prompt);
  if (kind === "rows") {
    if (!processor.image_processor) throw new EngineError("bad-package", "the package has no image processor");
    const given: unknown = await processor.image_processor(images);
    const pixels = asTensor(
      typeof given === "object" && given !== null && "pixel_values" in given && given.pixel_values,
    );
    const found = asTensor(await model.encode_image({ pixel_values: pixels }));
    const width = found.dims.at(-1) ?? 1;
    const rows = found.size / width / images.length;
    const expanded = expandMarks(
      prompt,
      imageToken,
      images.map(() => rows),
    );
    if (expanded === undefined) throw new EngineError("bad-package", "the chat template loses a picture");
    return { ...plain(expanded), pixel_values: pixels };
  }
  const options = { add_special_tokens: !begun };
  return checked(
    kind === "text-first" ? await processor(prompt, images, options) : await processor(images, prompt, options),
  );
}

export function asTensor(value: unknown): Tensor {
  if (value instanceof Tensor) return value;
  throw new EngineError("bad-package", "the model gives no tensor where one is needed");
}

function checked(inputs: unknown): ModelInputs {
  if (typeof inputs === "object" && inputs !== null && "input_ids" in inputs && inputs.input_ids instanceof Tensor)
    return { ...inputs, input_ids: inputs.input_ids };
  throw new EngineError("bad-package", "the processor gives no tokens");
}

/** How many tokens of the prompt stand for pictures. */
export function countImageTokens(ids: Tensor, { tokenizer, imageToken }: HubModel): number {
  const [mark] = tokenizer.encode(imageToken, { add_special_tokens: false });
  let count = 0;
  for (const id of ids.data) if (Number(id) === mark) count++;
  return count;
}
