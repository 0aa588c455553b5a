// Where a server's host is, for the words that say what becomes of a question. Knows no sentence.
import { isThisMachine } from "#remote/http/server.ts";

/** "here": a program on this machine, which may still be a tunnel to another. */
export type HostPlace = "here" | "elsewhere";

/** `host` with or without its port. */
export function hostPlace(host: string): HostPlace {
  return isThisMachine(host) ? "here" : "elsewhere";
}
