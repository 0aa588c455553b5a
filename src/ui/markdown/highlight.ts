// Splits code into pieces of text with a kind each: keyword, string, comment and so on. Imported only when an answer has code in a
// language that is known here. Makes no HTML.
import hljs from "highlight.js/lib/core";
import bash from "highlight.js/lib/languages/bash";
import c from "highlight.js/lib/languages/c";
import cpp from "highlight.js/lib/languages/cpp";
import csharp from "highlight.js/lib/languages/csharp";
import css from "highlight.js/lib/languages/css";
import diff from "highlight.js/lib/languages/diff";
import go from "highlight.js/lib/languages/go";
import java from "highlight.js/lib/languages/java";
import javascript from "highlight.js/lib/languages/javascript";
import json from "highlight.js/lib/languages/json";
import kotlin from "highlight.js/lib/languages/kotlin";
import php from "highlight.js/lib/languages/php";
import python from "highlight.js/lib/languages/python";
import ruby from "highlight.js/lib/languages/ruby";
import rust from "highlight.js/lib/languages/rust";
import sql from "highlight.js/lib/languages/sql";
import swift from "highlight.js/lib/languages/swift";
import typescript from "highlight.js/lib/languages/typescript";
import xml from "highlight.js/lib/languages/xml";
import yaml from "highlight.js/lib/languages/yaml";
import type { CodeLanguage } from "./languages.ts";

type CodeKind = "keyword" | "string" | "number" | "comment" | "name" | "type" | "attribute";

export interface CodePiece {
  readonly text: string;
  /** Undefined for what has no color of its own. */
  readonly kind: CodeKind | undefined;
}

const grammars = {
  bash,
  c,
  cpp,
  csharp,
  css,
  diff,
  go,
  java,
  javascript,
  json,
  kotlin,
  php,
  python,
  ruby,
  rust,
  sql,
  swift,
  typescript,
  xml,
  yaml,
} satisfies Record<CodeLanguage, unknown>;
for (const [name, grammar] of Object.entries(grammars)) hljs.registerLanguage(name, grammar);

const kinds: Readonly<Record<string, CodeKind>> = {
  keyword: "keyword",
  deletion: "keyword",
  "selector-tag": "keyword",
  string: "string",
  regexp: "string",
  addition: "string",
  link: "string",
  number: "number",
  literal: "number",
  symbol: "number",
  comment: "comment",
  quote: "comment",
  meta: "comment",
  title: "name",
  name: "name",
  section: "name",
  "selector-class": "name",
  "selector-id": "name",
  built_in: "type",
  type: "type",
  attr: "attribute",
  attribute: "attribute",
  property: "attribute",
  variable: "attribute",
  "template-variable": "attribute",
};

/** Takes what the library finds in place of its own maker of HTML. */
class Pieces {
  readonly pieces: CodePiece[] = [];
  readonly #scopes: (CodeKind | undefined)[] = [];

  addText(text: string): void {
    const kind = this.#scopes.at(-1);
    const last = this.pieces.at(-1);
    if (last !== undefined && last.kind === kind)
      this.pieces[this.pieces.length - 1] = { text: last.text + text, kind };
    else if (text !== "") this.pieces.push({ text, kind });
  }

  startScope(scope: string): void {
    this.openNode(scope);
  }

  endScope(): void {
    this.closeNode();
  }

  openNode(scope: string): void {
    this.#scopes.push(kinds[scope] ?? kinds[scope.split(".")[0] ?? ""] ?? this.#scopes.at(-1));
  }

  closeNode(): void {
    this.#scopes.pop();
  }

  /** A language within another: HTML has scripts. */
  __addSublanguage(inner: Pieces): void {
    for (const { text, kind } of inner.pieces) {
      this.#scopes.push(kind ?? this.#scopes.at(-1));
      this.addText(text);
      this.#scopes.pop();
    }
  }

  finalize(): void {}

  toHTML(): string {
    return "";
  }
}

hljs.configure({ __emitter: Pieces });

/** The code in pieces that make it up again. */
export function highlight(code: string, language: CodeLanguage): readonly CodePiece[] {
  const { _emitter: found } = hljs.highlight(code, { language, ignoreIllegals: true });
  // The library gives up on what is wrong in ways that a grammar does not foresee.
  const isWhole =
    found instanceof Pieces && found.pieces.reduce((sum, { text }) => sum + text.length, 0) === code.length;
  return isWhole ? found.pieces : [{ text: code, kind: undefined }];
}
