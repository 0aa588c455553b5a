// What a paste or a drop brings: pictures as files, the address of a picture, or words. Spreadsheets and word processors put a bitmap of
// the same words beside them; browsers put the address of a picture they copied beside it. Knows no page: it reads what it is handed.

/** The part of a DataTransfer that is read. */
export interface GivenData {
  readonly files: ArrayLike<File>;
  getData(type: string): string;
}

export type Given =
  | { readonly kind: "files"; readonly files: readonly File[] }
  | { readonly kind: "address"; readonly address: string }
  /** `plain` tells whether a text field would take the same words by itself. */
  | { readonly kind: "words"; readonly words: string; readonly plain: boolean };

/** Longer markup is not read to its end: what it is shows at its beginning. */
const longestMarkup = 2 ** 22;

/** Words win over a picture of them; a picture's own name, address or description are no words. */
export function readPaste(data: GivenData): Given | undefined {
  const files = Array.from(data.files);
  const markup = readMarkup(data.getData("text/html"));
  const plain = data.getData("text/plain").trim();
  const words = plain === "" ? markup.words : describesPictures(plain, files, markup) ? "" : plain;
  if (words !== "") return { kind: "words", words, plain: plain !== "" };
  if (files.length > 0) return { kind: "files", files };
  const [address] = markup.pictures;
  return address !== undefined && plain === "" ? { kind: "address", address } : undefined;
}

/** Files win; then the picture that was dragged out of a page; else the words of a link. */
export function readDrop(data: GivenData): Given | undefined {
  const files = Array.from(data.files);
  if (files.length > 0) return { kind: "files", files };
  const [picture] = readMarkup(data.getData("text/html")).pictures;
  const link = data
    .getData("text/uri-list")
    .split(/\r?\n/)
    .find((line) => line !== "" && !line.startsWith("#"));
  if (picture !== undefined) return { kind: "address", address: URL.parse(picture, link)?.href ?? picture };
  if (link === undefined) return undefined;
  return isPictureAddress(link) ? { kind: "address", address: link } : { kind: "words", words: link, plain: true };
}

/** Whether every line is a file's name or path, a picture's address, or the words that stand for one. */
function describesPictures(plain: string, files: readonly File[], markup: Markup): boolean {
  if (files.length === 0 && markup.pictures.length === 0) return false;
  const alone = markup.words === "";
  return plain.split(/\r?\n/).every((line) => {
    const said = line.trim();
    if (
      said === "" ||
      files.some(({ name }) => name === said || said.endsWith(`/${name}`) || said.endsWith(`\\${name}`))
    )
      return true;
    return alone && (markup.pictures.includes(said) || markup.descriptions.includes(said) || isAddress(said));
  });
}

function isAddress(text: string): boolean {
  return /^(?:https?|file|data|blob):\S+$/i.test(text);
}

function isPictureAddress(address: string): boolean {
  if (/^data:image\//i.test(address)) return true;
  return isAddress(address) && /\.(?:png|jpe?g|jfif|webp|gif|avif|bmp|heic)$/i.test(URL.parse(address)?.pathname ?? "");
}

interface Markup {
  /** What stands between the tags, white space made one. */
  readonly words: string;
  /** The addresses of its pictures, in their order. */
  readonly pictures: readonly string[];
  /** What stands for its pictures where they are not shown. */
  readonly descriptions: readonly string[];
}

/** Reads the little that is asked of it, from tag to tag; nothing is put into a page. */
function readMarkup(html: string): Markup {
  const words: string[] = [];
  const pictures: string[] = [];
  const descriptions: string[] = [];
  const end = Math.min(html.length, longestMarkup);
  for (let at = 0; at < end;) {
    const open = orEnd(html.indexOf("<", at), end);
    words.push(html.slice(at, open));
    if (html.startsWith("<!--", open)) {
      at = after(html, "-->", open + 4, end);
      continue;
    }
    const close = endOfTag(html, open + 1, end);
    const tag = html.slice(open + 1, close);
    at = close + 1;
    const name = /^[a-z]+\b/i.exec(tag)?.[0].toLowerCase();
    if (name === "img") {
      pictures.push(...attribute(tag, "src"));
      descriptions.push(...attribute(tag, "alt"), ...attribute(tag, "title"));
    } else if (name !== undefined && unseen.has(name)) {
      const ending = new RegExp(`</${name}`, "gi");
      ending.lastIndex = at;
      at = ending.exec(html)?.index ?? end;
    }
  }
  const said = unescapeMarkup(words.join(" ")).replace(/\s+/g, " ").trim();
  return { words: said, pictures, descriptions };
}

/** Elements whose words nobody sees. */
const unseen = new Set(["head", "style", "script", "title"]);

const orEnd = (index: number, end: number): number => (index < 0 ? end : index);

/** Where it goes on after the mark; at the end where there is none. */
function after(html: string, mark: string, from: number, end: number): number {
  const found = html.indexOf(mark, from);
  return found < 0 ? end : found + mark.length;
}

/** The index of the `>` that ends a tag; one between quotes ends none. */
function endOfTag(html: string, from: number, end: number): number {
  let quote = "";
  for (let at = from; at < end; at++) {
    const character = html.charAt(at);
    if (quote !== "") {
      if (character === quote) quote = "";
    } else if (character === '"' || character === "'") quote = character;
    else if (character === ">") return at;
  }
  return end;
}

/** None or one. */
function attribute(tag: string, name: string): string[] {
  const found = new RegExp(`\\s${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s"'>]+))`, "i").exec(tag);
  const value = found?.[1] ?? found?.[2] ?? found?.[3];
  return value === undefined ? [] : [unescapeMarkup(value).trim()];
}

const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: " " };

function unescapeMarkup(text: string): string {
  return text.replace(
    /&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z]+));/gi,
    (whole, decimal?: string, hex?: string, name?: string) => {
      const code = decimal === undefined ? (hex === undefined ? undefined : parseInt(hex, 16)) : Number(decimal);
      if (code !== undefined) return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
      return entities[name?.toLowerCase() ?? ""] ?? whole;
    },
  );
}
