// Turns an engine request into the JSON body of chat/completions, with the sampling options that the server knows. Pictures become data URLs.
import type { GenerateRequest, ImagePart, Message, Sampling } from "#engine/types.ts";
import type { ServerKind, ServerModel } from "#remote/http/server.ts";

/** Encodes a picture as PNG or JPEG, which every server can decode, upright and without metadata. */
export type EncodePicture = (blob: Blob) => Promise<Blob>;

/** The body of `POST chat/completions`. Pictures keep their places in the text of every turn. */
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
    // Other servers continue a last assistant message without being told.
    ...(continued && (model.kind === "vllm" || model.kind === "sglang")
      ? { add_generation_prompt: false, continue_final_message: true }
      : {}),
  };
}

async function toChatMessage(message: Message, toDataUrl: (part: ImagePart) => Promise<string>): Promise<unknown> {
  const { role, parts } = message;
  // Text alone stays a string: some chat templates accept nothing else.
  if (parts.every((part) => part.type === "text")) return { role, content: parts.map((part) => part.text).join("") };
  const content = parts.map(async (part) =>
    part.type === "text"
      ? { type: "text", text: part.text }
      : { type: "image_url", image_url: { url: await toDataUrl(part) } },
  );
  return { role, content: await Promise.all(content) };
}

/**
 * The sampling options in the server's names. An option that is off is sent where the server's default is not off: llama.cpp has defaults of
 * its own for top-k and min-p, vLLM takes the model's. An unknown server gets only the options that every server has.
 */
function toSamplingFields(sampling: Sampling, kind: ServerKind): Readonly<Record<string, number>> {
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
