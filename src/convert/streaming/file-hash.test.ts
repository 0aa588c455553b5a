import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { seeded } from "#testing/seeded.ts";
import { fileHashThread } from "./file-hash.node.ts";
import { fileHashHere } from "./file-hash.ts";

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

test("a file in blocks of any size has its SHA-256, in this thread and in another, and goes on from the state at any byte", async () => {
  const { seed, random } = seeded();
  console.log(`LLAVA_SEED=${seed}`);
  const file = Uint8Array.from({ length: 100_000 }, () => random() * 256);
  const thread = fileHashThread();
  try {
    for (const hash of [await fileHashHere(), thread]) {
      const kept: { readonly at: number; readonly state: Uint8Array }[] = [];
      hash.begin();
      for (let at = 0; at < file.length;) {
        const block = file.slice(at, at + 1 + Math.floor(random() * 20_000));
        const cut = Math.floor(random() * block.length);
        const { bytes, states } = await hash.update(block.slice(), [cut, block.length]);
        expect(bytes).toEqual(block);
        expect(states).toHaveLength(2);
        if (states[0]) kept.push({ at: at + cut, state: states[0] });
        at += block.length;
      }
      expect(await hash.digest()).toBe(sha256(file));
      for (const { at, state } of kept) {
        hash.begin(state);
        await hash.update(file.slice(at), []);
        expect(await hash.digest()).toBe(sha256(file));
      }
    }
  } finally {
    await thread.end();
  }
});

test("calls are answered in their order without waiting for each other, and a part of something larger leaves it as it is", async () => {
  const thread = fileHashThread();
  try {
    const whole = Uint8Array.from({ length: 1000 }, (_, i) => i);
    const digests = [100, 200, 300].map((length) => {
      thread.begin();
      void thread.update(whole.subarray(0, length), []);
      return thread.digest();
    });
    expect(await Promise.all(digests)).toEqual([100, 200, 300].map((length) => sha256(whole.subarray(0, length))));
    expect(whole).toHaveLength(1000);
  } finally {
    await thread.end();
  }
  await expect(thread.digest()).rejects.toThrow("has ended");
});
