// Decides what a paste or a drop contains: pictures as files, the address of a picture, or words. Copied data comes in several forms at
// once: spreadsheets and word processors add a bitmap of the copied words, browsers add the address of a copied picture. Uses no DOM.

/** The part of a DataTransfer that is used here. */
export interface GivenData {
  readonly files: ArrayLike<File>;
  getData(type: string): string;
}

export type Given =
  | { readonly kind: "files"; readonly files: readonly File[] }
  | { readonly kind: "address"; readonly address: string }
  /** `plain`: the words are the plain text of the data, which a text field would insert by itself. */
  | { readonly kind: "words"; readonly words: string; readonly plain: boolean };

/** In UTF-16 units. Longer markup is not read past this length; its beginning is enough to tell words from pictures. */
const longestMarkup = 2 ** 22;

/** Prefers words to a bitmap of them. The name, address or description of a copied picture does not count as words. */
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

/** Prefers files, then the address of a picture that was dragged out of a page, then the address of a link, as words. */
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

/** Whether every line only names a copied picture: a file's name or path, a picture's address, or its description. */
function describesPictures(plain: string, files: readonly File[], markup: Markup): boolean {
  if (files.length === 0 && markup.pictures.length === 0) return false;
  const hasNoWords = markup.words === "";
  return plain.split(/\r?\n/).every((line) => {
    const text = line.trim();
    if (
      text === "" ||
      files.some(({ name }) => name === text || text.endsWith(`/${name}`) || text.endsWith(`\\${name}`))
    )
      return true;
    return hasNoWords && (markup.pictures.includes(text) || markup.descriptions.includes(text) || isAddress(text));
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
  /** The text between the tags, with each run of white space as one space. */
  readonly words: string;
  /** The `src` of each picture, in document order. */
  readonly pictures: readonly string[];
  /** The `alt` and `title` texts of the pictures. */
  readonly descriptions: readonly string[];
}

/** Scans HTML for its text and its pictures, in linear time. Builds no document, so nothing in the markup can run or load. */
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
    } else if (name !== undefined && hiddenElements.has(name)) {
      const ending = new RegExp(`</${name}`, "gi");
      ending.lastIndex = at;
      at = ending.exec(html)?.index ?? end;
    }
  }
  const text = unescapeMarkup(words.join(" ")).replace(/\s+/g, " ").trim();
  return { words: text, pictures, descriptions };
}

/** Elements whose content is not displayed. */
const hiddenElements = new Set(["head", "style", "script", "title"]);

const orEnd = (index: number, end: number): number => (index < 0 ? end : index);

/** The index after the next `mark`; `end` if there is none. */
function after(html: string, mark: string, from: number, end: number): number {
  const found = html.indexOf(mark, from);
  return found < 0 ? end : found + mark.length;
}

/** The index of the `>` that ends a tag, skipping quoted attribute values. */
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

/** The value of an attribute: an array of one, or empty if the tag does not have it. */
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
