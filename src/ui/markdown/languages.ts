// The languages whose code is shown in colors, by the names that answers give them. Data only, so that code in any other language, or in
// none, fetches nothing.

const names = {
  bash: "bash sh shell zsh console shellsession shell-session",
  c: "c h",
  cpp: "cpp c++ cc hpp cxx",
  csharp: "csharp cs c#",
  css: "css",
  diff: "diff patch",
  go: "go golang",
  java: "java",
  javascript: "javascript js jsx mjs cjs node",
  json: "json jsonc json5 jsonl",
  kotlin: "kotlin kt",
  php: "php",
  python: "python py python3 ipython pycon",
  ruby: "ruby rb",
  rust: "rust rs",
  sql: "sql mysql postgresql sqlite",
  swift: "swift",
  typescript: "typescript ts tsx mts cts",
  xml: "html xml svg xhtml vue",
  yaml: "yaml yml",
} as const;

export type CodeLanguage = keyof typeof names;

export const codeLanguages = Object.keys(names) as CodeLanguage[];

const byName = new Map(
  codeLanguages.flatMap((language) =>
    names[language].split(" ").map((name): [string, CodeLanguage] => [name, language]),
  ),
);

/** The language that an answer means; undefined for one that is shown without colors. */
export function languageOf(name: string): CodeLanguage | undefined {
  return byName.get(name.toLowerCase().replace(/^\{?\.?|\}$/g, ""));
}

/** In UTF-16 units. */
export const longestHighlighted = 12_000;
export const longestLine = 400;

/** Whether the code's parts can be told in an instant: grammars are expressions, whose time can grow with the square of a line or of a run of words. */
export function isHighlightable(code: string): boolean {
  return (
    code.length <= longestHighlighted &&
    !code.split("\n").some((line) => line.length > longestLine) &&
    !code.split(/[^\w\s*&~]/).some((run) => run.length > longestRun)
  );
}

/** Words with no sign between them: no code has so many. */
const longestRun = 1_000;
