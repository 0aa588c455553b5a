// Parses the JSON values of an answer (chat.completion and chat.completion.chunk objects) leniently, and raises the errors among them.
import * as v from "valibot";
import { errorForMessage, RemoteError, type ServerMessage } from "#remote/http/errors.ts";
import type { Redactor } from "#remote/http/redact.ts";
import { readMessage, shorten } from "#remote/http/server-message.ts";

/** One part of an answer; figures that the server does not send are undefined. */
export interface Chunk {
  readonly type: "chunk";
  readonly text: string;
  /** The server's finish reason; "" while the answer goes on. */
  readonly finish: string;
  readonly promptTokens: number | undefined;
  readonly cachedTokens: number | undefined;
  readonly newTokens: number | undefined;
}

/** The error for a message that came in place of an answer or within it. */
export function messageError({ text, fields }: ServerMessage, redactor: Redactor): RemoteError {
  return errorForMessage({ text: shorten(redactor.text(text)), fields });
}

/** The error for a body that is no answer of this protocol. */
export function notAnAnswerError(text: string, redactor: Redactor): RemoteError {
  const serverMessage = shorten(redactor.text(text));
  return new RemoteError("server-wrong-answer", `the answer is none: ${serverMessage}`, { serverMessage });
}

/** A field of an unexpected type counts as absent, so that the others can still be read. */
const lenient = <const T extends v.GenericSchema>(schema: T) => v.fallback(v.nullish(schema), undefined);
const Content = lenient(v.union([v.string(), v.array(v.unknown())]));
const Tokens = lenient(v.pipe(v.number(), v.minValue(0)));
const Delta = lenient(v.looseObject({ content: Content, refusal: lenient(v.string()) }));
const Choice = v.looseObject({
  index: lenient(v.number()),
  delta: Delta,
  message: Delta,
  text: lenient(v.string()),
  finish_reason: lenient(v.string()),
  error: v.optional(v.unknown()),
});
const Answer = v.looseObject({ choices: v.array(Choice) });
const Usage = v.looseObject({
  usage: lenient(
    v.looseObject({
      prompt_tokens: Tokens,
      completion_tokens: Tokens,
      prompt_tokens_details: lenient(v.looseObject({ cached_tokens: Tokens })),
    }),
  ),
});

const noMessage: ServerMessage = { text: "", fields: [] };

/** The chunks in a parsed value; none where it holds nothing of an answer. Throws RemoteError where it is an error. */
export function readChunkValue(value: unknown, redactor: Redactor): Chunk[] {
  if (Array.isArray(value)) return value.flatMap((one) => readChunkValue(one, redactor));
  if (typeof value !== "object" || value === null) return [];
  const fields: Readonly<Record<string, unknown>> = { ...value };
  const { error, object, choices } = fields;
  const answers = Array.isArray(choices);
  const failed = isSomething(error) || object === "error";
  if (failed || !answers) {
    const message = readMessage(value);
    const hasMessage = message !== undefined && messageFields.some((name) => isSomething(fields[name]));
    if (failed || hasMessage) throw messageError(message ?? noMessage, redactor);
  }
  const { usage } = v.parse(Usage, value);
  const parsed = v.safeParse(Answer, value);
  if (answers && !parsed.success)
    throw new RemoteError("server-wrong-answer", "a part of the answer is not of the protocol");
  // A keep-alive. Usage figures alone are a chunk, too.
  if (!parsed.success && usage == null) return [];
  const choice = parsed.success ? parsed.output.choices.find(({ index }) => (index ?? 0) === 0) : undefined;
  const finish = /^(null|none)?$/i.test(choice?.finish_reason ?? "") ? "" : (choice?.finish_reason ?? "");
  if (isSomething(choice?.error) || finish === "error")
    throw messageError(readMessage(choice?.error ?? value) ?? noMessage, redactor);
  const delta = choice?.delta ?? choice?.message;
  const content = textOf(delta?.content);
  return [
    {
      type: "chunk",
      text: content !== "" ? content : (delta?.refusal ?? choice?.text ?? ""),
      finish,
      promptTokens: usage?.prompt_tokens ?? undefined,
      cachedTokens: usage?.prompt_tokens_details?.cached_tokens ?? undefined,
      newTokens: usage?.completion_tokens ?? undefined,
    },
  ];
}

/** Fields that mark a value without choices as an error. */
const messageFields = ["message", "detail", "details", "msg", "errors", "reason", "error_message", "error_description"];

/** Whether a field holds anything: some servers send an `error` of null, false or {} with every chunk. */
function isSomething(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === "") return false;
  return typeof value !== "object" || Object.keys(value).length > 0;
}

/** Content is a text, or a list of parts, some of which are reasoning. */
function textOf(content: string | readonly unknown[] | null | undefined): string {
  if (content === undefined || content === null) return "";
  if (typeof content === "string") return content;
  return content
    .map((part) => {
      if (typeof part === "string") return part;
      if (typeof part !== "object" || part === null) return "";
      const { type, text }: { readonly type?: unknown; readonly text?: unknown } = part;
      return typeof text === "string" && (type === undefined || type === "text" || type === "output_text") ? text : "";
    })
    .join("");
}
