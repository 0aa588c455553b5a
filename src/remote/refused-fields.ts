// Servers refuse fields that others need: whole programs don't know stream_options, some models take no temperature. Reads which
// field an error is about, and leaves it out of a request. Pure but for what it remembers of this session.
import type { RemoteError } from "./errors.ts";

export type ChatBody = Readonly<Record<string, unknown>>;

/** Fields that an answer can do without, in the order in which they go when two of them don't go together. */
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

/** No field, but refused like one: some models know questions and answers only. */
const systemRole = "system";

/** The server's limit of an answer's length has two names; a server that refuses both has its own. */
const renamed = "max_completion_tokens";

/** The fields of the body that the error refuses; none when it is about something else. */
export function refusedFields(
  body: ChatBody,
  { code, said, about }: RemoteError,
): readonly (OptionalField | typeof systemRole)[] {
  if (code !== "server-rejected" && code !== "server-failed" && code !== "server-not-found") return [];
  if (hasSystem(body) && noSystem.test(said)) return [systemRole];
  const present = optional.filter((field) => Object.hasOwn(body, field));
  const pointed = present.filter((field) => about.includes(field));
  const among = pointed.length > 0 ? pointed : present.filter((field) => isNamed(field, said));
  const refused = among.filter((field) => !limits.has(field) || unknownField.test(said));
  // Of two that don't go together one may stay.
  if (refused.length > 1 && notTogether.test(said)) return refused.slice(0, -1);
  if (among.length > 0 || code !== "server-rejected" || !nameless.test(said)) return refused;
  // A refusal without a name: all goes that the question can do without, the limit of the length last.
  const rest = present.filter((field) => field !== "stream" && !limits.has(field));
  return rest.length > 0 ? rest : present.filter((field) => limits.has(field));
}

const noSystem =
  /\bsystem (role|message|prompt|instruction)s?\b.*\b(not|unsupported|unknown|invalid)\b|\b(not|n't|unsupported|unknown|invalid)\b.*\bsystem\b|\broles must alternate\b/i;
const notTogether = /\b(both|together|(only|just) one|either|mutually|combined|combination)\b/i;

/** Of these only being unknown counts: that a number is too large is for the user to decide. */
const limits: ReadonlySet<string> = new Set(["max_tokens", "max_completion_tokens"]);
const unknownField =
  /unsupported|\b(not|no longer) (be )?(supported|permitted|allowed|accepted|recogni[sz]ed|known|valid|available|expected)|unrecogni[sz]ed|unknown|unexpected|\bextra\b|additional propert|(does not|doesn't) (support|accept|allow|have|take)|deprecated|instead|cannot (both )?be (used|set|specified|combined)/i;

const nameless =
  /^(HTTP (400|422)(: )?)?\W*((bad request|unprocessable (entity|content)|invalid request|invalid (request )?(parameters?|body)|validation (error|failed)|extra inputs are not permitted|unsupported parameters?|request failed validation)\W*)*$/i;

/** Words of everyday English have to stand in quotes or be called a field; the others have no other sense. */
function isNamed(field: OptionalField, said: string): boolean {
  if (field === "stream" && /\bstreaming\b.*\bnot\b|\bnot\b.*\bstreaming\b/i.test(said)) return true;
  const everyday = field === "stop" || field === "stream" || field === "seed";
  return new RegExp(
    everyday
      ? `["'\`“‘]${field}["'\`”’]|\\b(parameter|argument|field|property|key|option)s?( supplied| provided)?\\W{1,4}${field}\\b|\\b${field}\\W{1,4}(parameter|argument|field|property|option|(is|was) (not|un))`
      : `\\b${field}\\b`,
    "i",
  ).test(said);
}

/** The body without the refused fields; the limit of the length is said in its other word first. */
export function leaveOut(body: ChatBody, refused: ReadonlySet<string>): ChatBody {
  const kept: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(body)) {
    if (!refused.has(field)) kept[field] = value;
    else if (field === "max_tokens" && !refused.has(renamed)) kept[renamed] = value;
  }
  if (refused.has(systemRole)) kept["messages"] = withoutSystem(kept["messages"]);
  // Both mean something to a stream only, or to each other.
  if (!Object.hasOwn(kept, "stream")) delete kept["stream_options"];
  if (refused.has("add_generation_prompt")) delete kept["continue_final_message"];
  if (refused.has("continue_final_message")) delete kept["add_generation_prompt"];
  return kept;
}

type ChatMessage = Readonly<Record<string, unknown>>;

function messagesOf(messages: unknown): readonly ChatMessage[] {
  return Array.isArray(messages) ? messages.map((message: unknown): ChatMessage => ({ ...(message ?? {}) })) : [];
}

function hasSystem(body: ChatBody): boolean {
  return messagesOf(body["messages"]).some(({ role }) => role === "system");
}

/** What the system message says stands before the first question instead. */
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
    const words = `${system.join("\n\n")}\n\n`;
    return {
      ...message,
      content:
        typeof content === "string"
          ? words + content
          : [{ type: "text", text: words }, ...(Array.isArray(content) ? content.map((part: unknown) => part) : [])],
    };
  });
}

/** What each model of each server refused since the page was opened. */
const remembered = new Map<string, ReadonlySet<string>>();
const keyOf = (url: string, model: string): string => `${url}\n${model}`;

export function rememberedRefusals(url: string, model: string): ReadonlySet<string> {
  return remembered.get(keyOf(url, model)) ?? new Set();
}

export function rememberRefusals(url: string, model: string, refused: ReadonlySet<string>): void {
  remembered.set(keyOf(url, model), refused);
}

/** Forgets what was refused: another program may answer at the address now. */
export function forgetRefusals(url: string): void {
  for (const key of remembered.keys()) if (key.startsWith(`${url}\n`)) remembered.delete(key);
}
