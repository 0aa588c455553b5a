// Access tokens of model hubs, for repositories that not everyone may read. In the browser's localStorage under a key of their own, as keys
// of servers are, so that no export of preferences or conversations ever holds one.
import * as v from "valibot";
import { readLocal, writeLocal, type GetStorage } from "#chat/local-storage.ts";

const StoredTokens = v.object({ version: v.literal(1), tokens: v.record(v.string(), v.string()) });

/** The key in localStorage. */
export const tokensKey = "llava-web-hub-tokens";

export interface HubTokens {
  /** The token for a hub's URL; undefined where there is none. */
  get(hub: string): string | undefined;
  /** Forgets it where it is "". */
  set(hub: string, token: string): void;
}

/** One token per origin. */
export function createHubTokens(storage: GetStorage): HubTokens {
  const read = (): Readonly<Record<string, string>> => readLocal(storage, tokensKey, StoredTokens)?.tokens ?? {};
  return {
    get: (hub) => read()[new URL(hub).origin],
    set(hub, token) {
      const { origin } = new URL(hub);
      const others = Object.entries(read()).filter(([other]) => other !== origin);
      const tokens = Object.fromEntries([...others, ...(token === "" ? [] : [[origin, token] as const])]);
      writeLocal(storage, tokensKey, JSON.stringify({ version: 1, tokens }));
    },
  };
}

/** What was typed as a token, without what a copy brings along; undefined where no token looks so. */
export function tokenOf(typed: string): string | undefined {
  const token = typed.trim().replace(/^(?:Bearer\s+|["'“])|["'”]$/g, "");
  return /^[\x21-\x7e]{8,200}$/.test(token) ? token : undefined;
}
