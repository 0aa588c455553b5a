// The example pictures that come with the page, with questions: a list beside the pictures, fetched from the page's own origin.
import * as v from "valibot";
import type { ReadAddress } from "./picture-sources.web.ts";

/** Larger files are refused. */
const mostBytes = 2 ** 24;

const ExampleList = v.array(
  v.object({
    file: v.pipe(v.string(), v.regex(/^[\w-]+\.(png|jpe?g|webp)$/)),
    questions: v.record(v.string(), v.array(v.string())),
    glosses: v.optional(v.record(v.string(), v.array(v.string())), {}),
    alt: v.record(v.string(), v.string()),
    credit: v.exactOptional(v.object({ holder: v.string(), license: v.string() })),
  }),
);

/**
 * One example; all texts are keyed by language. `questions` are in languages that the model reads, always in English, too; `glosses`
 * translate the English questions, in their order, into languages that it does not read.
 */
export interface Example {
  /** Absolute URL of the picture. */
  readonly url: string;
  readonly name: string;
  readonly questions: Readonly<Record<string, readonly string[]>>;
  readonly glosses: Readonly<Record<string, readonly string[]>>;
  readonly alt: Readonly<Record<string, string>>;
  /** Whose photograph it is, and under which license; absent where it was made for this page. */
  readonly credit?: { readonly holder: string; readonly license: string };
}

/** Parses `examples.json`; the pictures lie beside it. */
export function parseExamples(value: unknown, folderUrl: string): Example[] {
  return v.parse(ExampleList, value).map(({ file, ...texts }) => ({
    url: new URL(file, folderUrl).href,
    name: file,
    ...texts,
  }));
}

/** The examples in a folder (absolute URL ending with a slash); none where they can't be read, because the page is complete without. */
export async function loadExamples(folderUrl: string, read: ReadAddress): Promise<Example[]> {
  try {
    const list = await readOwn(new URL("examples.json", folderUrl).href, read);
    return parseExamples(JSON.parse(await list.text()), folderUrl);
  } catch (error) {
    console.warn("The examples could not be loaded:", error);
    return [];
  }
}

/** The bytes of an example's picture. */
export function fetchExample(example: Example, read: ReadAddress): Promise<Blob> {
  return readOwn(example.url, read);
}

async function readOwn(url: string, read: ReadAddress): Promise<Blob> {
  const blob = await read(url, {}, mostBytes);
  if (blob === "silent") throw new Error(`${url} sends nothing`);
  return blob;
}
