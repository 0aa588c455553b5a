// Every LLaVA architecture, converted and run, computes what PyTorch computes; `npm run parity` prints the same as a table.
import { expect, test } from "vitest";
import { measureParity, parityCases, passes } from "./parity-row.ts";

test.each(parityCases.map((item) => ({ ...item, name: `${item.architecture}, ${item.layout}` })))(
  "$name",
  async (item) => {
    const row = await measureParity(item);
    expect(row.ids).toBe(true);
    expect(row.pixels).toBeLessThan(1e-4);
    expect(row.features).toBeLessThan(1e-3);
    expect(row.logits).toBeLessThan(1e-3);
    expect(row.greedy).toBe(true);
    expect(passes(row)).toBe(true);
    expect(row.greedy4).toBeGreaterThan(0.3);
  },
);

test("a row that differs anywhere does not pass", () => {
  const good = { prompts: 1, pixels: 0, ids: true, features: 0, logits: 0, greedy: true, greedy4: 1 };
  expect(passes(good)).toBe(true);
  const wrong = [{ pixels: 0.01 }, { ids: false }, { features: 0.01 }, { logits: Infinity }, { greedy: false }];
  for (const change of wrong) expect(passes({ ...good, ...change })).toBe(false);
});
