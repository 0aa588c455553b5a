// A request of the engine as the JSON of chat/completions, with the sampling options that the server knows. Pure but for pictures,
// which are read and become data URLs.
import type { GenerateRequest, ImagePart, Message, Sampling } from "#engine/types.ts";
import type { ServerKind, ServerModel } from "./server.ts";

/** A picture in a form that servers can decode (PNG or JPEG), upright and without its metadata. */
export type EncodePicture = (blob: Blob) => Promise<Blob>;

/** The body for `POST chat/completions`. Pictures keep their places among the words of every turn. */
export async function toChatBody(
  request: GenerateRequest,
  model: ServerModel,
  toDataUrl: (part: ImagePart) => Promise<string>,
): Promise<Readonly<Record<string, unknown>>> {
  const continued = request.messages.at(-1)?.role === "assistant";
  return {
    model: model.id,
    messages: await Promise.all(request.messages.map((message) => toChatMessage(message, toDataUrl))),
    stream: true,
    stream_options: { include_usage: true },
    max_tokens: request.maxNewTokens,
    ...(request.stop.length === 0 ? {} : { stop: request.stop }),
    ...toSamplingFields(request.sampling, model.kind),
    // The others go on with a last answer by themselves.
    ...(continued && (model.kind === "vllm" || model.kind === "sglang")
      ? { add_generation_prompt: false, continue_final_message: true }
      : {}),
  };
}

async function toChatMessage(message: Message, toDataUrl: (part: ImagePart) => Promise<string>): Promise<unknown> {
  const { role, parts } = message;
  // Plain words stay a string: some chat templates know nothing else.
  if (parts.every((part) => part.type === "text")) return { role, content: parts.map((part) => part.text).join("") };
  const content = parts.map(async (part) =>
    part.type === "text"
      ? { type: "text", text: part.text }
      : { type: "image_url", image_url: { url: await toDataUrl(part) } },
  );
  return { role, content: await Promise.all(content) };
}

/**
 * The sampling in the server's words. What is off is left out where the server's default is off too, and said where it is not:
 * llama.cpp has a top-k and a min-p of its own, vLLM takes a model's. A server we don't know gets what every server knows.
 */
export function toSamplingFields(sampling: Sampling, kind: ServerKind): Readonly<Record<string, number>> {
  const { temperature, topK, topP, minP, repetitionPenalty, seed } = sampling;
  const greedy = temperature <= 0.001;
  const common = {
    temperature: greedy ? 0 : temperature,
    ...(greedy ? {} : { top_p: topP }),
    ...(seed === undefined ? {} : { seed }),
  };
  switch (kind) {
    case "vllm":
    case "sglang":
      // Both spell "off" as −1.
      return {
        ...common,
        top_k: greedy || topK === 0 ? -1 : topK,
        min_p: greedy ? 0 : minP,
        repetition_penalty: repetitionPenalty,
      };
    case "llama.cpp":
      return { ...common, top_k: greedy ? 0 : topK, min_p: greedy ? 0 : minP, repeat_penalty: repetitionPenalty };
    case "ollama":
    case "other":
      return common;
  }
}

/** The blob as a data URL. */
export async function blobToDataUrl(blob: Blob): Promise<string> {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  const step = 0x8000;
  let binary = "";
  for (let at = 0; at < bytes.length; at += step) binary += String.fromCharCode(...bytes.subarray(at, at + step));
  return `data:${blob.type === "" ? "image/png" : blob.type};base64,${btoa(binary)}`;
}
