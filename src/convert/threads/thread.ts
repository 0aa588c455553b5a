// A thread that answers calls in their order, whichever host it is of.

export interface Thread<Call, Answer> {
  /** Buffers of `taken` are gone from here afterwards. Rejects once the thread has ended. */
  ask(call: Call, taken?: readonly ArrayBuffer[]): Promise<Answer>;
  /** Calls under way reject. */
  end(): Promise<void> | void;
}

/** Bytes that can be sent without what lies around them in their buffer, of which the whole would be sent. */
export function alone(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return bytes.length < bytes.buffer.byteLength ? bytes.slice() : bytes;
}

/** Calls whose answers are awaited, in their order. */
export function createCalls<Answer>() {
  const under: { readonly resolve: (answer: Answer) => void; readonly reject: (error: Error) => void }[] = [];
  let dead: Error | undefined;
  return {
    /** Sends, unless the thread has ended. */
    ask: (send: () => void): Promise<Answer> =>
      new Promise((resolve, reject) => {
        if (dead) {
          reject(dead);
          return;
        }
        under.push({ resolve, reject });
        send();
      }),
    answer: (answer: Answer): void => under.shift()?.resolve(answer),
    waiting: (): number => under.length,
    die(error: Error): void {
      dead ??= error;
      for (const { reject } of under.splice(0)) reject(dead);
    },
  };
}
