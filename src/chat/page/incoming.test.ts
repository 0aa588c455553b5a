import { expect, test } from "vitest";
import { createIncoming, type Incoming } from "./incoming.ts";

const file = new File(["cat"], "cat.png");

async function receive(shared: Promise<Incoming>) {
  let open: ((files: readonly File[]) => void) | undefined;
  const incoming = createIncoming({
    takeShared: () => shared,
    onOpenedFiles: (take) => {
      open = take;
    },
  });
  expect(incoming.get()).toBeUndefined();
  incoming.receive();
  await shared.catch(() => undefined);
  return { incoming, open };
}

test("what was shared is shown, and files that are opened later take its place", async () => {
  const shared = { text: "What is this?", files: [] };
  const { incoming, open } = await receive(Promise.resolve(shared));
  expect(incoming.get()).toEqual(shared);
  open?.([file]);
  expect(incoming.get()).toEqual({ text: "", files: [file] });
});

test("nothing is shown where nothing was shared, or it can't be read", async () => {
  const nothing = await receive(Promise.resolve({ text: "", files: [] }));
  expect(nothing.incoming.get()).toBeUndefined();
  const broken = await receive(Promise.reject(new Error("expected in this test")));
  expect(broken.incoming.get()).toBeUndefined();
});
