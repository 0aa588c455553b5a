// Reads from a checkpoint's folder what template.ts needs to choose a conversation template. Knows file names, no template.
import * as v from "valibot";
import { EngineError } from "#engine/errors.ts";
import { badCheckpoint } from "#convert/checkpoint/bad-checkpoint.ts";
import type { CheckpointFolder } from "#convert/checkpoint/folders.ts";
import {
  findChatTemplate,
  tryTemplate,
  type ChatTemplate,
  type RenderChat,
  type TriedTemplate,
} from "./chat-template.ts";
import { readObject } from "#convert/checkpoint/json-file.ts";
import { chooseTemplate, ownTemplate } from "./template.ts";

export interface TemplateQuestion {
  /** The checkpoint, completed from its other folders. */
  readonly folder: CheckpointFolder;
  readonly original: boolean;
  readonly names: readonly string[];
  readonly imageTokenId: number;
  readonly stated: string | undefined;
  readonly renderChat: RenderChat | undefined;
  readonly onNote: ((note: string) => void) | undefined;
}

/** How the package's conversations are written. */
export interface Conversation {
  readonly template: string;
  /** The checkpoint's chat template, which goes along also where it is not used; undefined where it has none, or none that ends. */
  readonly own: ChatTemplate | undefined;
  /** Ids that end an answer by the chat template, beside those that the checkpoint names. */
  readonly ends: readonly number[];
}

const Token = v.looseObject({ id: v.number(), content: v.string(), special: v.optional(v.boolean(), false) });
const Tokenizer = v.looseObject({ added_tokens: v.optional(v.array(Token), []) });
const TokenText = v.union([v.string(), v.looseObject({ content: v.string() })]);

/** Chooses the template; reports the choice, its reason and any disagreement through onNote. */
export async function chooseConversation(question: TemplateQuestion): Promise<Conversation> {
  const { folder, stated, onNote } = question;
  const parsed = v.safeParse(Tokenizer, (await readObject(folder, "tokenizer.json")) ?? {});
  const added = parsed.success ? parsed.output.added_tokens : [];
  const settings = (await readObject(folder, "tokenizer_config.json")) ?? {};
  const tokens = {
    image: added.find(({ id }) => id === question.imageTokenId)?.content ?? "<image>",
    bos: textOf(settings["bos_token"]),
    eos: textOf(settings["eos_token"]),
  };
  const found = await findChatTemplate(folder);
  const own = found && (await tried(found, tokens, question));
  // Without a renderer the template was not tried, and the caller's choice stands.
  if (question.renderChat && stated === ownTemplate && own?.use !== "parts" && own?.use !== "text") {
    const why = own
      ? `the chat template in ${own.file} makes no prompt with pictures`
      : "the checkpoint has no chat template";
    throw badCheckpoint(`${why}; name another template with --template`);
  }
  const special = added.filter((token) => token.special);
  const choice = chooseTemplate({ ...question, own, tokens: new Set(special.map(({ content }) => content)) });
  onNote?.(`template: ${choice.reason}`);
  for (const warning of choice.warnings) onNote?.(`warning: ${warning}`);
  const close = choice.id === ownTemplate ? own?.close?.trim() : undefined;
  const ends = special
    .filter(({ content }) => content !== "" && close?.startsWith(content) === true)
    .map(({ id }) => id);
  return { template: choice.id, own, ends };
}

/** The template as it was tried; undefined where it does not end and another one was asked for. */
async function tried(
  template: ChatTemplate,
  tokens: { readonly image: string; readonly bos: string; readonly eos: string },
  { stated, renderChat, onNote }: TemplateQuestion,
): Promise<(ChatTemplate & TriedTemplate) | undefined> {
  try {
    return { ...template, ...(await tryTemplate(template, tokens, renderChat)) };
  } catch (error) {
    if (stated === undefined || stated === ownTemplate || !(error instanceof EngineError)) throw error;
    onNote?.(`warning: the chat template in ${template.file} does not end, so it is left out of the package`);
    return undefined;
  }
}

function textOf(token: unknown): string {
  const parsed = v.safeParse(TokenText, token);
  if (!parsed.success) return "";
  return typeof parsed.output === "string" ? parsed.output : parsed.output.content;
}
