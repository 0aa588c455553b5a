// Requests with a reader's access token of a hub.
import { badCheckpoint } from "#convert/checkpoint/bad-checkpoint.ts";

export interface HubToken {
  readonly value: string;
  /** The hub's URL. */
  readonly host: string;
}

/** The token goes to the hub itself and to no host that it redirects to, which browsers and Node see to. */
export function withToken({ value, host }: HubToken, send: typeof fetch): typeof fetch {
  // Anything else could not be a header's value.
  if (!/^[\x21-\x7e]+$/.test(value)) throw badCheckpoint("the token has characters that no token of a hub has");
  const { origin } = new URL(host);
  return (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    if (new URL(url).origin !== origin) return send(input, init);
    const headers = new Headers(init?.headers);
    headers.set("authorization", `Bearer ${value}`);
    return send(input, { ...init, headers });
  };
}
