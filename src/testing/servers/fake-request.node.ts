// What the fake server reads of a request, on its own account: the test is of what was sent, not of the code that sent it.
import { createHash } from "node:crypto";

/** Short enough to stand in an answer, and different for different bytes. */
export function fingerprint(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex").slice(0, 8);
}

/** A request for an answer, as a server understands it. */
export interface Asked {
  readonly model: string;
  readonly maxTokens: number;
  /** Words of the last message. */
  readonly question: string;
  /** Fingerprints of all pictures of the conversation, in order. */
  readonly pictures: readonly string[];
}

/** Reads the body of a request for an answer. */
export function readAsked(body: unknown): Asked {
  const asked = record(body);
  const messages = list(asked["messages"]).map((message) => record(message)["content"]);
  const parts = messages.map((content) =>
    typeof content === "string" ? [{ type: "text", text: content }] : list(content),
  );
  const pictures = parts.flat().flatMap((part) => {
    const url = record(record(part)["image_url"])["url"];
    const match = typeof url === "string" ? /^data:image\/(?:png|jpeg);base64,(.+)$/.exec(url) : null;
    return match?.[1] === undefined ? [] : [fingerprint(Buffer.from(match[1], "base64"))];
  });
  const words = (parts.at(-1) ?? []).map((part) => record(part)["text"]).filter((text) => typeof text === "string");
  const { model, max_tokens: maxTokens } = asked;
  return {
    model: typeof model === "string" ? model : "",
    maxTokens: typeof maxTokens === "number" ? maxTokens : Infinity,
    question: words.join(""),
    pictures,
  };
}

/** The value's fields, none where it is no object. */
export const record = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? { ...value } : {};
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
