// The Markdown that answers are read as: GFM without HTML, in two scripts. markdown-it does the reading; here is what a page in English
// and Chinese needs beyond CommonMark: emphasis beside Chinese punctuation, addresses, names of code, years, and formulas.
import createMarkdownIt, { type StateInline, type Token } from "markdown-it";
import cjkFriendly from "markdown-it-cjk-friendly";
import { addMath } from "./math.ts";

/** Containers within containers, and links or pictures within one another; what is deeper is shown as it was written. */
export const deepestNesting = 24;

export const markdown = createMarkdownIt({ html: false, breaks: true, linkify: true, maxNesting: deepestNesting });
// The blocks of a text are read by markdown.ts, one by one; of the rest only the insides of a block are left to do.
markdown.core.ruler.disable(["normalize", "block", "strip_references"]);
// Where a link may lead is decided where it is drawn.
markdown.validateLink = () => true;
markdown.normalizeLink = (url) => url;
markdown.normalizeLinkText = (url) => url;
markdown.use(cjkFriendly);
limitTables();
limitDefinitions();
addMath(markdown);
/** What a text defines for its links, by name. */
export type References = Record<string, { readonly title: string; readonly href: string }>;

/** The tokens of a paragraph's words. */
export function readInline(content: string, references: References): readonly Token[] {
  const state = new markdown.core.State("", markdown, { references });
  const token = new state.Token("inline", "", 0);
  token.content = content;
  token.children = [];
  state.tokens = [token];
  markdown.core.process(state);
  return token.children;
}

addLineBreaks();
addEmphasis();
addYears();
addAddresses();

/** Tables are laid out as a whole, so their cells are counted before they are made; further rows, and wider tables, are text. */
function limitTables(): void {
  const [table] = markdown.block.ruler.getRules("");
  if (table === undefined) return;
  markdown.block.ruler.at(
    "table",
    (state, startLine, endLine, silent) => {
      const ruler = startLine + 1 < endLine ? state.getLines(startLine + 1, startLine + 2, 0, false) : "";
      if (!/^[\s>|:-]{1,2000}$/.test(ruler)) return false;
      const columns = ruler.split("|").length;
      return (
        columns <= mostColumns &&
        table(state, startLine, Math.min(endLine, startLine + 2 + Math.floor(mostCells / columns)), silent)
      );
    },
    { alt: ["paragraph", "reference"] },
  );
}

const mostColumns = 100;
const mostCells = 1_500;

/** `[a]: https://…` gives links a place to lead to and is not shown; notes and remarks in that form are. */
function limitDefinitions(): void {
  const reference = markdown.block.ruler.__rules__.find(({ name }) => name === "reference")?.fn;
  if (reference === undefined) return;
  markdown.block.ruler.at("reference", (state, startLine, endLine, silent) => {
    const line = state.getLines(startLine, startLine + 1, state.blkIndent, false);
    return (
      /^\s{0,3}\[(?!\^)[^\]]{1,200}\]:\s*<?(?:https?:|mailto:)/i.test(line) &&
      reference(state, startLine, endLine, silent)
    );
  });
}

/** The one piece of HTML that means something here: models put it into the cells of tables. */
function addLineBreaks(): void {
  markdown.inline.ruler.before("autolink", "line-break", (state, silent) => {
    if (state.src[state.pos] !== "<") return false;
    const [tag] = /^<br\s{0,9}\/?>/i.exec(state.src.slice(state.pos, state.pos + 16)) ?? [];
    if (tag === undefined) return false;
    if (!silent) state.push("hardbreak", "br", 0);
    state.pos += tag.length;
    return true;
  });
}

const cjk = String.raw`[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\u3000-\u303F\uFF00-\uFFEF]`;
const cjkStart = new RegExp(`^${cjk}`, "u");
const cjkEnd = new RegExp(`${cjk}$`, "u");
const codeName =
  /^__(?:init|main|name|str|repr|call|len|iter|next|new|del|dict|doc|file|all|version|eq|ne|lt|le|gt|ge|hash|bool|add|sub|mul|matmul|truediv|contains|enter|exit|aenter|aexit|getitem|setitem|delitem|getattr|setattr|getattribute|get|set|class|module|slots|annotations|pycache|future|import|builtins|path|package|proto|dirname|filename|typename|FILE|LINE|DATE|TIME|FUNCTION|COUNTER|VA_ARGS|global|device|shared|host|restrict|attribute|asm)__/;

/** `**Note:**text` is bold as it was meant, `__重要：__请` as with asterisks, and `__init__` is a name. */
function addEmphasis(): void {
  const Base = markdown.inline.State;
  markdown.inline.State = class extends Base {
    override scanDelims(start: number, canSplitWord: boolean): ReturnType<StateInline["scanDelims"]> {
      const strict = super.scanDelims(start, canSplitWord);
      const end = start + strict.length;
      const around = `${this.src[start - 1] ?? " "} ${this.src[end] ?? " "}`;
      // 2*3*4, a*b*c and x**2+y**2 are products and powers.
      if (this.src[start] === "*" && (strict.length === 1 ? /^[A-Za-z\d] [A-Za-z\d]$/ : /^[A-Za-z\d] \d$/).test(around))
        return { ...strict, can_open: false };
      if (this.src[start] === "*" && strict.length === 2 && /[:;,.!?]/.test(this.src[start - 1] ?? ""))
        return { ...strict, can_close: strict.can_close || /\p{L}/u.test(this.src[end] ?? "") };
      if (canSplitWord || this.src[start] !== "_") return strict;
      const before = this.src.slice(Math.max(0, start - 2), start);
      const after = this.src.slice(end, end + 2);
      if (!cjkEnd.test(before) && !cjkStart.test(after)) return strict;
      // Between two letters one underscore is part of a name, in any script.
      if (strict.length === 1 && /[\p{L}\p{N}]$/u.test(before) && /^[\p{L}\p{N}]/u.test(after)) return strict;
      return super.scanDelims(start, true);
    }
  };
  markdown.inline.ruler.before("emphasis", "code-name", (state, silent) => {
    if (state.src[state.pos] !== "_" || /[A-Za-z\d_]/.test(state.src[state.pos - 1] ?? "")) return false;
    const [name] = codeName.exec(state.src.slice(state.pos, state.pos + 24)) ?? [];
    if (name === undefined) return false;
    if (!silent) state.pending += name;
    state.pos += name.length;
    return true;
  });
}

/** "2026. It was a good year" is a sentence, not the 2026th item of a list. */
function addYears(): void {
  markdown.block.ruler.before(
    "list",
    "year",
    (state, startLine, endLine, silent) => {
      const start = (state.bMarks[startLine] ?? 0) + (state.tShift[startLine] ?? 0);
      if (!/^\d{4,}[.)](?:\s|$)/.test(state.src.slice(start, start + 12))) return false;
      const paragraph = markdown.block.ruler.getRules("").at(-1);
      return !silent && paragraph !== undefined && paragraph(state, startLine, endLine, silent);
    },
    {},
  );
}

/** Addresses with a scheme or www.; `main.py` is a file, though .py is a country. */
function addAddresses(): void {
  markdown.linkify.set({ fuzzyLink: false, fuzzyIP: false, fuzzyEmail: false });
  for (const schema of ["ftp:", "//"]) markdown.linkify.add(schema, null);
  markdown.linkify.add("www.", {
    validate: (text, pos, { re }) => {
      const address = re.get_relative_proto_validator();
      address.lastIndex = pos - "www.".length;
      return Math.max(0, (address.exec(text)?.[0].length ?? 0) - "www.".length);
    },
    normalize: (match) => {
      match.url = `http://${match.url}`;
    },
  });
}
