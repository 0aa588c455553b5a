import { describe, expect, test, vi } from "vitest";
import { readDrop, readPaste, type GivenData } from "./given-data.ts";

const bitmap = new File([new Uint8Array(4)], "image.png", { type: "image/png" });

function given(kinds: Readonly<Record<string, string>>, files: readonly File[] = []): GivenData {
  return { files, getData: (type) => kinds[type] ?? "" };
}

/** An upper bound for the characters that `work` looks at: one for each `charAt`, the whole text for each search. */
function charactersRead(work: () => void): number {
  const charAt = vi.spyOn(String.prototype, "charAt");
  const indexOf = vi.spyOn(String.prototype, "indexOf");
  const exec = vi.spyOn(RegExp.prototype, "exec");
  try {
    work();
    const searched = [...indexOf.mock.contexts.map(String), ...exec.mock.calls.map(([text]) => text)];
    return charAt.mock.calls.length + searched.reduce((sum, text) => sum + text.length, 0);
  } finally {
    vi.restoreAllMocks();
  }
}

describe("pasting", () => {
  const table = "<table><tr><td>apples</td><td>3</td></tr><tr><td>pears</td><td>5</td></tr></table>";

  test.each([
    ["a spreadsheet's cells", { "text/plain": "apples\t3\npears\t5\n", "text/html": table }],
    ["a word processor's sentence", { "text/plain": "Ein Satz.", "text/html": "<p>Ein <b>Satz</b>.</p>" }],
    ["slides without markup", { "text/plain": "• first\n• second" }],
    [
      "words with a picture among them",
      { "text/plain": "See: it", "text/html": "<p>See: <img src='file:///a.png'> it</p>" },
    ],
    [
      "an address that is a link's words",
      { "text/plain": "https://a.example/x", "text/html": "<a href=x>https://a.example/x</a>" },
    ],
    [
      "a program that only gives markup",
      { "text/html": "<meta charset=utf-8><style>p{color:red}</style><p>R&amp;D &#20320;</p>" },
    ],
  ])("of %s keeps the words, though a bitmap of them is there too", (_, kinds) => {
    expect(readPaste(given(kinds, [bitmap]))?.kind).toBe("words");
  });

  test("says whether a text field takes the same words by itself", () => {
    expect(readPaste(given({ "text/html": "<b>R&amp;D</b>\n &#20320;" }))).toEqual({
      kind: "words",
      words: "R&D 你",
      plain: false,
    });
    expect(readPaste(given({ "text/plain": "a < b" }))).toEqual({ kind: "words", words: "a < b", plain: true });
  });

  test.each([
    ["a screenshot", {}],
    [
      "a picture copied from a page",
      { "text/html": '<meta charset=\'utf-8\'><img src="https://a.example/cat.png" alt="A > cat">' },
    ],
    ["a picture with its description", { "text/html": "<img alt='A cat' src=x.png>", "text/plain": "A cat" }],
    [
      "a picture with its address",
      { "text/html": "<img src='https://a.example/c.png'>", "text/plain": "https://a.example/c.png" },
    ],
    [
      "a picture inside a link",
      { "text/html": "<a href='https://a.example/'><img src='c.png'></a>", "text/plain": "https://a.example/" },
    ],
    [
      "a word processor's picture",
      {
        "text/html":
          "<head><title>x</title></head><!--[if gte vml 1]>v:shape<![endif]--><img src='file:///C:/clip.png'>",
        "text/plain": " ",
      },
    ],
    [
      "a chart",
      {
        "text/html":
          "<html><body>\n<!--StartFragment--><img width=480 src='file:///chart.png'><!--EndFragment--></body></html>",
      },
    ],
  ])("of %s takes the picture", (_, kinds) => {
    expect(readPaste(given(kinds, [bitmap]))).toEqual({ kind: "files", files: [bitmap] });
  });

  test("of files takes them, whatever the file manager calls them", () => {
    const photo = new File(["x"], "photo 1.jpg", { type: "image/jpeg" });
    for (const plain of ["photo 1.jpg", "/home/me/photo 1.jpg", "C:\\Pictures\\photo 1.jpg", "photo 1.jpg\n"])
      expect(readPaste(given({ "text/plain": plain }, [photo]))?.kind).toBe("files");
  });

  test("of a picture without its bytes takes its address", () => {
    expect(readPaste(given({ "text/html": "<img src='https://a.example/c.png?a=1&amp;b=2'>" }))).toEqual({
      kind: "address",
      address: "https://a.example/c.png?a=1&b=2",
    });
  });

  test("of nothing is nothing", () => {
    expect(readPaste(given({}))).toBeUndefined();
  });

  test.each(["<img ", "<!--", "<style>", '<img src="'])(
    "of %s without an end, many times, takes linear time",
    (opening) => {
      const html = opening.repeat(2000);
      const read = charactersRead(() => readPaste(given({ "text/html": html }, [bitmap])));
      // A reader that goes to the end from every opening reads each character a thousand times.
      expect(read).toBeGreaterThanOrEqual(html.length);
      expect(read).toBeLessThan(50 * html.length);
    },
  );
});

describe("dropping", () => {
  test("files wins over all that comes with them", () => {
    const kinds = { "text/html": "<img src='https://a.example/c.png'>", "text/uri-list": "https://a.example/c.png" };
    expect(readDrop(given(kinds, [bitmap]))?.kind).toBe("files");
  });

  test("a picture out of a page takes its own address, not that of the link around it", () => {
    const kinds = {
      "text/html": "<a href='/gallery'><img src=\"/c%.png\"></a>",
      "text/uri-list": "# note\r\nhttps://a.example/gallery\r\n",
    };
    expect(readDrop(given(kinds))).toEqual({ kind: "address", address: "https://a.example/c%.png" });
  });

  test("an address takes the picture where it looks like one, else stays words", () => {
    expect(readDrop(given({ "text/uri-list": "https://a.example/Cat.JPG?w=9" }))?.kind).toBe("address");
    expect(readDrop(given({ "text/uri-list": "data:image/png;base64,AAAA" }))?.kind).toBe("address");
    expect(readDrop(given({ "text/uri-list": "https://a.example/read" }))).toEqual({
      kind: "words",
      words: "https://a.example/read",
      plain: true,
    });
    expect(readDrop(given({ "text/plain": "words" }))).toBeUndefined();
  });
});
