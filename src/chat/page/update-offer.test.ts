import { expect, test } from "vitest";
import { createUpdateOffer } from "./update-offer.ts";

test("a new version is offered until it is put off", async () => {
  const taken: string[] = [];
  const offer = createUpdateOffer(() => {
    taken.push("taken");
    return Promise.resolve("reloading");
  });
  expect(offer.get()).toBe("none");
  offer.arrive();
  expect(offer.get()).toBe("ready");
  await offer.decide(false);
  expect(offer.get()).toBe("none");
  expect(taken).toEqual([]);
  offer.arrive();
  await offer.decide(true);
  expect(taken).toEqual(["taken"]);
  expect(offer.get()).toBe("ready");
});

test("other tabs that would lose their files are told of", async () => {
  const offer = createUpdateOffer(() => Promise.resolve("other-tabs"));
  offer.arrive();
  await offer.decide(true);
  expect(offer.get()).toBe("other-tabs");
});
