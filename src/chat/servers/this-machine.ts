// Whether a server runs on this machine, for the sentences that say where a question goes. Small, because the texts import it.
import { isThisMachine } from "#remote/http/server.ts";

/** True for a program on this machine, which may still be a tunnel to another one; `host` with or without its port. */
export function isOnThisMachine(host: string): boolean {
  return isThisMachine(host);
}
