// Cleans an API key as it was pasted: strips what surely is not part of it, and refuses characters that no key has.
// A browser would refuse to send those anyway, with an error that blames the network.
import { RemoteError } from "./errors.ts";

/**
 * The key itself, "" when there is none: without surrounding white space and quotes, without line breaks, and without a label ("Bearer ",
 * "OPENAI_API_KEY="). Throws RemoteError "server-key-characters", whose `serverMessage` names the character.
 */
export function cleanKey(pasted: string): string {
  const key = unwrap(pasted.replace(/[\t ]*[\r\n\u2028\u2029]+[\t ]*/g, ""));
  const character = /[^\x21-\x7e]/u.exec(key)?.[0];
  if (character === undefined) return key;
  const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
  // An invisible character is named by its code point alone.
  const shown = /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(character) ? `${character} (U+${code})` : `U+${code}`;
  throw new RemoteError("server-key-characters", `the key holds ${shown}`, { serverMessage: shown });
}

/** Strips one label or pair of quotes after the other until none is left: `Authorization: Bearer "sk-…"`. */
function unwrap(text: string): string {
  const trimmed = text.trim();
  const bare = trimmed
    .replace(/^(-H\s+)?["']?authorization\s*[:=]\s*/i, "")
    .replace(/^(export\s+)?["']?([A-Z][A-Z\d_]*_)?(x[-_])?api[-_ ]?(key|token)["']?\s*[:=]\s*/i, "")
    .replace(/^bearer(\s+|$)/i, "")
    .replace(/^(["'`])(.*)\1[,;]?$/s, "$2");
  return bare === trimmed ? trimmed : unwrap(bare);
}
