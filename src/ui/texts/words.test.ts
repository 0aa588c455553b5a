// The words of the page: American spelling, plain Chinese, and one term for one thing. Reads the files themselves, so that no branch of a
// sentence is left out.
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Language } from "./language.ts";
import { languages } from "./all.ts";

const bench = new URL("../../../bench/page/texts.ts", import.meta.url);

/** What the files of a language say: without comments, imports and the names of keys. */
function linesOf(language: Language): string[] {
  const folder = new URL(`./${language}/`, import.meta.url);
  const files = readdirSync(folder);
  const benchText = new RegExp(`export const ${language}: [^]*?\n};`).exec(readFileSync(bench, "utf8"))?.[0] ?? "";
  const texts = [...files.map((name) => readFileSync(new URL(name, folder), "utf8")), benchText];
  return texts
    .flatMap((text) => text.split("\n"))
    .filter((line) => !/^\s*(\/\/|\/\*|\*|import )/.test(line))
    .map((line) => line.replace(/^\s*("[\w-]+"|\w+):/, ""));
}

/** Every sentence by its path, functions called with stand-ins. */
function sentences(value: unknown, path = ""): Record<string, string> {
  if (typeof value === "string") return { [path]: value };
  if (typeof value === "function") return { [path]: String(Reflect.apply(value, undefined, ["X", "Y", "Z"])) };
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) => Object.entries(sentences(inner, `${path}.${key}`))),
  );
}

const british =
  /\w*colour\w*|\bfavour\w*|\bbehaviour\w*|\bcentre\w*|\blicences?\b|\bgrey\b|\bcatalogue\b|\w+[^aeiou]is(e|ed|ing)\b(?<!(otherwise|likewise|precise|raise|exercise|promise|advise|revise|noise|rise|wise))|\banalyse\w*|\b(cancel|label|model|travel|signal)l(ed|ing)\b|\bwhilst\b|\bprogramme\b/i;

/** Words that the page has a better one for. */
const english: readonly (readonly [wrong: RegExp, right: string])[] = [
  [british, "American spelling"],
  [/\banew\b/i, "again"],
  [/\bfetch/i, "download"],
  [/\bphotograph/i, "photo"],
  [/\bprocessor\b/i, "CPU"],
  [/\bgraphics device\b/i, "GPU"],
  [/\bvision tower\b/i, "vision encoder"],
  [/\bmodel('s|’s) memory\b/i, "context"],
  [/\bthis machine\b/i, "this device"],
  [/\d \$?%|\} %/, "no space before %"],
];

const chinese: readonly (readonly [wrong: RegExp, right: string])[] = [
  [/本设备|这台设备|这台机器|本机器/, "本机"],
  [/图标/, "图形符号"],
  [/图形设备/, "GPU"],
  [/处理器/, "CPU"],
  [/模型的?记忆/, "上下文"],
  [/视觉塔/, "视觉编码器"],
  [/首个词元|第一个词元/, "首字延迟"],
  [/令牌|标记数/, "词元"],
  [/从新|重新回答/, "重新生成"],
  [/登陆|帐号|象素/, "账号"],
  [/[\u4e00-\u9fff](?:[,;!?]|:(?!\/))/, "full-width punctuation"],
  [/[\u4e00-\u9fff]…(?!…)(?<!……)/, "……"],
  [/[\u4e00-\u9fff]\.(?!\w)/, "。"],
];

describe.each([
  ["en", english],
  ["zh", chinese],
] as const)("the words of %s", (language, rules) => {
  test.each(rules)("say nothing that matches %s, but %s", (wrong) => {
    expect(linesOf(language).filter((line) => wrong.test(line))).toEqual([]);
  });
});

test("what is one label in English is one label in Chinese", () => {
  const chineseBy = new Map<string, Set<string>>();
  const zh = sentences(languages.zh);
  for (const [path, label] of Object.entries(sentences(languages.en)))
    chineseBy.set(label, (chineseBy.get(label) ?? new Set()).add(zh[path] ?? ""));
  const many = [...chineseBy].filter(([, labels]) => labels.size > 1).map(([label, labels]) => [label, ...labels]);
  expect(many).toEqual([]);
});

test("the issue's own terms are the page's", () => {
  const { en, zh } = languages;
  expect(en.turnTools).toMatchObject({ regenerate: "Regenerate", continue: "Continue" });
  expect([en.turnTools.previous, en.turnTools.next]).toEqual(["Previous version", "Next version"]);
  expect([en.timingTotal, en.tokensPictures, en.greedy]).toEqual(["Total", "Image tokens", "Deterministic (greedy)"]);
  expect([en.storage.verified, zh.storage.verified]).toEqual(["Verified.", "校验通过。"]);
  expect([en.photos.notYetRun, zh.photos.notYetRun]).toEqual(["experimental", "实验性，尚未实测"]);
  expect([en.remote.corsTitle, en.remote.nameHint]).toEqual([
    "Allow this page (CORS)",
    "Optional. Defaults to the address.",
  ]);
  expect(zh.firstToken("1 秒")).toBe("首字延迟 1 秒");
});
