import { expect, test } from "vitest";
import { formatWhen, groupByDay } from "./conversation-days.ts";
import { languages } from "#ui/texts/all.ts";

const now = new Date(2026, 10, 29, 0, 30);
const at = (
  ...date: [number, number, number, number?]
): { id: string; title: string; words: string; updatedAt: number } => ({
  id: date.join("-"),
  title: "",
  words: "",
  updatedAt: new Date(...(date as [number, number, number])).getTime(),
});
const list = [
  at(2026, 11, 1), // A clock that was set back since.
  at(2026, 10, 29),
  at(2026, 10, 28, 23),
  at(2026, 10, 22),
  at(2026, 10, 1),
  at(2026, 9, 29),
  at(2025, 9, 1),
  { ...at(2020, 0, 1), updatedAt: 0 },
];

test("conversations stand under the days they were last used, in both languages", () => {
  const titles = (language: keyof typeof languages): string[] =>
    groupByDay(languages[language], list, now).map(({ title, conversations }) => `${title} ${conversations.length}`);
  expect(titles("en")).toEqual([
    "Today 2",
    "Yesterday 1",
    "Previous 7 days 1",
    "Previous 30 days 1",
    "October 2026 1",
    "October 2025 1",
    "Earlier 1",
  ]);
  expect(titles("zh")).toEqual([
    "今天 2",
    "昨天 1",
    "过去 7 天 1",
    "过去 30 天 1",
    "2026年10月 1",
    "2025年10月 1",
    "更早 1",
  ]);
});

test("an entry says when: a time for today and yesterday, a day before that, a year only where it is another", () => {
  const when = (...date: [number, number, number]): string =>
    formatWhen(languages.en, new Date(...date, 9, 5).getTime(), now);
  expect(when(2026, 10, 29)).toMatch(/^9:05.AM$/);
  expect(when(2026, 10, 28)).toMatch(/^9:05.AM$/);
  expect(when(2026, 10, 20)).toBe("Nov 20");
  expect(when(2025, 2, 3)).toBe("Mar 3, 2025");
  expect(formatWhen(languages.en, 0, now)).toBe("");
});
