// Servers refuse request fields that others need: some programs do not know stream_options, some models accept no temperature. Finds the
// field that an error message refuses, and leaves it out of the request. Remembers refusals for the session.
import type { RemoteError } from "#remote/http/errors.ts";

export type ChatBody = Readonly<Record<string, unknown>>;

/** Fields that a request can do without. Of two that exclude each other the one listed first is left out. */
const optional = [
  "stream_options",
  "add_generation_prompt",
  "continue_final_message",
  "repetition_penalty",
  "repeat_penalty",
  "min_p",
  "top_k",
  "seed",
  "stop",
  "top_p",
  "temperature",
  "max_completion_tokens",
  "max_tokens",
  "stream",
] as const;
type OptionalField = (typeof optional)[number];

/** Not a field, but refused like one: some chat templates know no system role. */
const systemRole = "system";

/** The other name of max_tokens. A server that refuses both keeps its own limit. */
const otherMaxTokens = "max_completion_tokens";

/** The fields of the body that the error refuses; none when the error is about something else. */
export function refusedFields(
  body: ChatBody,
  { code, serverMessage, fields }: RemoteError,
): readonly (OptionalField | typeof systemRole)[] {
  if (code !== "server-rejected" && code !== "server-failed" && code !== "server-not-found") return [];
  if (hasSystem(body) && refusesSystem.test(serverMessage)) return [systemRole];
  const present = optional.filter((field) => Object.hasOwn(body, field));
  const pointedAt = present.filter((field) => fields.includes(field));
  const named = pointedAt.length > 0 ? pointedAt : present.filter((field) => isNamed(field, serverMessage));
  const refused = named.filter((field) => !limits.has(field) || unknownField.test(serverMessage));
  // Of fields that exclude each other one may stay.
  if (refused.length > 1 && excludeEachOther.test(serverMessage)) return refused.slice(0, -1);
  if (named.length > 0 || code !== "server-rejected" || !namesNothing.test(serverMessage)) return refused;
  // The message names no field: leave out all optional ones, the limits of the length only at the next try.
  const rest = present.filter((field) => field !== "stream" && !limits.has(field));
  return rest.length > 0 ? rest : present.filter((field) => limits.has(field));
}

const refusesSystem =
  /\bsystem (role|message|prompt|instruction)s?\b.*\b(not|unsupported|unknown|invalid)\b|\b(not|n't|unsupported|unknown|invalid)\b.*\bsystem\b|\broles must alternate\b/i;
const excludeEachOther = /\b(both|together|(only|just) one|either|mutually|combined|combination)\b/i;

/** Left out only where the server does not know them: a limit that is too large is the user's to change. */
const limits: ReadonlySet<string> = new Set(["max_tokens", "max_completion_tokens"]);
const unknownField =
  /unsupported|\b(not|no longer) (be )?(supported|permitted|allowed|accepted|recogni[sz]ed|known|valid|available|expected)|unrecogni[sz]ed|unknown|unexpected|\bextra\b|additional propert|(does not|doesn't) (support|accept|allow|have|take)|deprecated|instead|cannot (both )?be (used|set|specified|combined)/i;

const namesNothing =
  /^(HTTP (400|422)(: )?)?\W*((bad request|unprocessable (entity|content)|invalid request|invalid (request )?(parameters?|body)|validation (error|failed)|extra inputs are not permitted|unsupported parameters?|request failed validation)\W*)*$/i;

/** Whether the message names the field. Field names that are everyday words must be quoted or called a field. */
function isNamed(field: OptionalField, message: string): boolean {
  if (field === "stream" && /\bstreaming\b.*\bnot\b|\bnot\b.*\bstreaming\b/i.test(message)) return true;
  const everyday = field === "stop" || field === "stream" || field === "seed";
  return new RegExp(
    everyday
      ? `["'\`“‘]${field}["'\`”’]|\\b(parameter|argument|field|property|key|option)s?( supplied| provided)?\\W{1,4}${field}\\b|\\b${field}\\W{1,4}(parameter|argument|field|property|option|(is|was) (not|un))`
      : `\\b${field}\\b`,
    "i",
  ).test(message);
}

/** The body without the refused fields; max_tokens is first replaced by its other name. */
export function leaveOut(body: ChatBody, refused: ReadonlySet<string>): ChatBody {
  const rest: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(body)) {
    if (!refused.has(field)) rest[field] = value;
    else if (field === "max_tokens" && !refused.has(otherMaxTokens)) rest[otherMaxTokens] = value;
  }
  if (refused.has(systemRole)) rest["messages"] = withoutSystem(rest["messages"]);
  // Fields that mean nothing without another one.
  if (!Object.hasOwn(rest, "stream")) delete rest["stream_options"];
  if (refused.has("add_generation_prompt")) delete rest["continue_final_message"];
  if (refused.has("continue_final_message")) delete rest["add_generation_prompt"];
  return rest;
}

type ChatMessage = Readonly<Record<string, unknown>>;

function messagesOf(messages: unknown): readonly ChatMessage[] {
  return Array.isArray(messages) ? messages.map((message: unknown): ChatMessage => ({ ...(message ?? {}) })) : [];
}

function hasSystem(body: ChatBody): boolean {
  return messagesOf(body["messages"]).some(({ role }) => role === "system");
}

/** The messages with the system message's text at the start of the first user message. */
function withoutSystem(messages: unknown): readonly ChatMessage[] {
  const all = messagesOf(messages);
  const system = all.flatMap(({ role, content }) =>
    role === "system" && typeof content === "string" ? [content] : [],
  );
  const rest = all.filter(({ role }) => role !== "system");
  const first = rest.findIndex(({ role }) => role === "user");
  if (system.length === 0 || first < 0) return rest;
  return rest.map((message, index) => {
    if (index !== first) return message;
    const { content } = message;
    const text = `${system.join("\n\n")}\n\n`;
    return {
      ...message,
      content:
        typeof content === "string"
          ? text + content
          : [{ type: "text", text }, ...(Array.isArray(content) ? content.map((part: unknown) => part) : [])],
    };
  });
}

/** What each model of each server has refused since the page was opened. */
const remembered = new Map<string, ReadonlySet<string>>();
const keyOf = (url: string, model: string): string => `${url}\n${model}`;

export function rememberedRefusals(url: string, model: string): ReadonlySet<string> {
  return remembered.get(keyOf(url, model)) ?? new Set();
}

export function rememberRefusals(url: string, model: string, refused: ReadonlySet<string>): void {
  remembered.set(keyOf(url, model), refused);
}

/** Forgets a server's refusals: another program may be behind the address now. */
export function forgetRefusals(url: string): void {
  for (const key of remembered.keys()) if (key.startsWith(`${url}\n`)) remembered.delete(key);
}
