import { describe, expect, test } from "vitest";
import { highlight } from "./highlight.ts";
import {
  codeLanguages,
  isHighlightable,
  languageOf,
  longestHighlighted,
  longestLine,
  type CodeLanguage,
} from "./languages.ts";

const kindsOf = (code: string, language: CodeLanguage): string[] =>
  highlight(code, language).flatMap(({ text, kind }) => (kind === undefined ? [] : [`${kind}:${text}`]));

describe("code in colors", () => {
  test("is told by the names that answers give to languages", () => {
    expect(["py", "Python", "C++", "sh", "html", "{.js}"].map(languageOf)).toEqual([
      "python",
      "python",
      "cpp",
      "bash",
      "xml",
      "javascript",
    ]);
    expect(["", "text", "brainfuck", "constructor"].map(languageOf)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  test("has its words, strings, numbers and comments told apart", () => {
    expect(kindsOf("def f(x):\n    return 'a' + str(1)  # note", "python")).toEqual([
      "keyword:def",
      "name:f",
      "keyword:return",
      "string:'a'",
      "type:str",
      "number:1",
      "comment:# note",
    ]);
    expect(kindsOf("<b class='x'><script>let a = 1;</script>", "xml")).toContain("keyword:let");
  });

  const hostile =
    '( [{ /* " \' `${ <a\u0020 <!-- \\ a=> #{ <<EOF a.b( @ $ <?php a\u0020 1e --- -\u0020a:\u0020 /a r#" \t a( { a<b< /** <script>'.split(
      " ",
    );
  test.each(codeLanguages)("in %s loses no letter, whatever it is", (language) => {
    for (const part of hostile) {
      const line = part.repeat(longestLine).slice(0, longestLine);
      const code = `${line}\n`.repeat(longestHighlighted / longestLine).slice(0, longestHighlighted);
      if (!isHighlightable(code)) continue;
      const pieces = highlight(code, language);
      expect(pieces.map(({ text }) => text).join("") === code, part).toBe(true);
    }
  });

  test("is left out where it could take long", () => {
    expect(isHighlightable("a".repeat(longestLine + 1))).toBe(false);
    expect(isHighlightable("a\n".repeat(longestHighlighted))).toBe(false);
    expect(isHighlightable("a b\n".repeat(300))).toBe(false);
    expect(isHighlightable("// Words of a comment, in two sentences.\nconst a = b(c);\n".repeat(150))).toBe(true);
  });
});
