// The key of a server as it was pasted. Takes off what surely does not belong to it, and refuses what no key has: a browser would
// refuse to send that anyway, in words that blame the network.
import { RemoteError } from "./errors.ts";

/**
 * The key itself, "" when there is none: without white space around it, line breaks within it, what names it ("Bearer ",
 * "OPENAI_API_KEY="), and plain quotes around it. Throws RemoteError "server-key-characters", whose `said` names the character.
 */
export function cleanKey(pasted: string): string {
  const key = unwrap(pasted.replace(/[\t ]*[\r\n\u2028\u2029]+[\t ]*/g, ""));
  const character = /[^\x21-\x7e]/u.exec(key)?.[0];
  if (character === undefined) return key;
  const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
  // A character that can't be seen is told by its number alone.
  const shown = /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(character) ? `${character} (U+${code})` : `U+${code}`;
  throw new RemoteError("server-key-characters", `the key holds ${shown}`, { said: shown });
}

/** Takes off one wrapping after the other until none is left: `Authorization: Bearer "sk-…"`. */
function unwrap(text: string): string {
  const trimmed = text.trim();
  const bare = trimmed
    .replace(/^(-H\s+)?["']?authorization\s*[:=]\s*/i, "")
    .replace(/^(export\s+)?["']?([A-Z][A-Z\d_]*_)?(x[-_])?api[-_ ]?(key|token)["']?\s*[:=]\s*/i, "")
    .replace(/^bearer(\s+|$)/i, "")
    .replace(/^(["'`])(.*)\1[,;]?$/s, "$2");
  return bare === trimmed ? trimmed : unwrap(bare);
}
