import { expect, test } from "vitest";
import { bleu4, ciderD, type Captioned } from "./captions.ts";

const captions: Captioned[] = [
  {
    answer: "A brown dog runs through the grass.",
    references: ["A brown dog is running on the grass.", "A dog runs in a field.", "The dog runs through green grass."],
  },
  {
    answer: "Two children play on the beach.",
    references: [
      "Two kids playing at the beach.",
      "Children are playing on the sand.",
      "Two children play on the beach near the sea.",
    ],
  },
  {
    answer: "A man in a red shirt climbs a rock.",
    references: [
      "A man climbs a rock wall.",
      "A climber in red goes up.",
      "Someone wearing a red shirt is climbing a rock.",
    ],
  },
];

// training/instruct/cider.py gives these.
test("captions score as the Python oracle says", () => {
  expect(ciderD(captions)).toBeCloseTo(2.6450505205, 6);
  expect(bleu4(captions)).toBeCloseTo(0.5430259008, 6);
});

test("a reference word for word scores 1 in BLEU-4, nothing in common 0 in both", () => {
  const same = captions.map(({ references }) => ({ answer: references[0] ?? "", references }));
  expect(bleu4(same)).toBe(1);
  const other = captions.map(({ references }) => ({ answer: "Nobody knows", references }));
  expect(bleu4(other)).toBe(0);
  expect(ciderD(other)).toBe(0);
});
