import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { artAttributions, libraryAttributions, photoAttributions } from "./attributions.ts";

const notice = readFileSync(new URL("../../../NOTICE", import.meta.url), "utf8").replace(/\s+/g, " ");

test.each([...artAttributions, ...photoAttributions, ...libraryAttributions])(
  "$name is credited in NOTICE, as in the page",
  (attribution) => {
    // "Preact Signals" stands in one sentence with "Preact".
    expect(notice).toContain(attribution.name);
    expect(notice).toContain(attribution.license);
    expect(notice).toContain(attribution.holder);
  },
);
