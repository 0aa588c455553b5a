// Markdown of an answer to HTML that is safe to put in the page: no script, no style, no picture, no form; links open elsewhere.
// A model's words are input like any other: everything passes DOMPurify after marked.
import createDOMPurify from "dompurify";
import { Marked } from "marked";

const scrollClass = "table-scroll";

const parser = new Marked({ gfm: true, breaks: true, async: false });
parser.use({
  renderer: {
    // A picture from elsewhere would tell its server that this answer was read: its description stays.
    image({ text, title }) {
      return escapeHtml(text === "" ? (title ?? "") : text);
    },
    // Wide things scroll by themselves, for the keyboard too.
    code({ text, lang }) {
      const label = lang === undefined || lang === "" ? "" : ` aria-label="${escapeHtml(lang)}"`;
      return `<pre tabindex="0"${label}><code>${escapeHtml(text)}</code></pre>\n`;
    },
    table(token) {
      const cells = (row: typeof token.header, tag: "th" | "td"): string =>
        row.map((cell) => `<${tag}>${this.parser.parseInline(cell.tokens)}</${tag}>`).join("");
      const body = token.rows.map((row) => `<tr>${cells(row, "td")}</tr>`).join("");
      return `<div class="${scrollClass}" tabindex="0"><table><thead><tr>${cells(token.header, "th")}</tr></thead><tbody>${body}</tbody></table></div>\n`;
    },
  },
});

const purify = createDOMPurify();
purify.addHook("afterSanitizeAttributes", (node) => {
  // Any other class would let an answer dress up as a part of the page, or lie over all of it.
  if (node.hasAttribute("class") && node.getAttribute("class") !== scrollClass) node.removeAttribute("class");
  if (node.tagName !== "A") return;
  node.setAttribute("target", "_blank");
  node.setAttribute("rel", "noopener noreferrer nofollow");
});

const tags = "p br hr strong em del code pre blockquote ul ol li h1 h2 h3 h4 h5 h6 a table thead tbody tr th td div";

/** HTML for one answer; the text may end anywhere, as it does while it streams. */
export function renderMarkdown(text: string): string {
  return purify.sanitize(parser.parse(text, { async: false }), {
    ALLOWED_TAGS: tags.split(" "),
    ALLOWED_ATTR: ["href", "title", "class", "tabindex", "aria-label", "target", "rel", "start"],
    ALLOWED_URI_REGEXP: /^(?:https?|mailto):/i,
    ALLOW_DATA_ATTR: false,
  });
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
