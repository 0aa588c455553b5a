import { expect, test } from "vitest";
import { renamePictures } from "./picture-names.ts";

const moved = (name: string): string => (name.startsWith("/") || name.includes(":") ? name : `new/${name}`);
const base64 = `iVBORw0KGgo${"A".repeat(300)}`;
const turns = [{ from: "human", value: "<image>\nimage: a.png" }];

test.each<[string, object, object]>([
  ["LLaVA's", { image: "a.png", conversations: turns }, { image: "new/a.png", conversations: turns }],
  [
    "a list",
    { images: ["a.png", "b.png"], conversations: turns },
    { images: ["new/a.png", "new/b.png"], conversations: turns },
  ],
  [
    "objects around names",
    { images: [{ bytes: null, path: "a.png" }], conversations: turns },
    { images: [{ bytes: null, path: "new/a.png" }], conversations: turns },
  ],
  [
    "OpenAI's parts",
    {
      messages: [
        {
          role: "user",
          content: [
            { type: "image_url", image_url: { url: "a.png" } },
            { type: "text", text: "a.png" },
          ],
        },
      ],
    },
    {
      messages: [
        {
          role: "user",
          content: [
            { type: "image_url", image_url: { url: "new/a.png" } },
            { type: "text", text: "a.png" },
          ],
        },
      ],
    },
  ],
  [
    "parts with an image",
    { messages: [{ role: "user", content: [{ type: "image", image: "a.png" }] }] },
    { messages: [{ role: "user", content: [{ type: "image", image: "new/a.png" }] }] },
  ],
  [
    "names in the text",
    { conversations: [{ from: "user", value: "Picture 1: <img>a.png</img>\nWhat?" }] },
    { conversations: [{ from: "user", value: "Picture 1: <img>new/a.png</img>\nWhat?" }] },
  ],
])("%s are renamed, and nothing else", (_, json, expected) => {
  expect(renamePictures(json, moved)).toEqual(expected);
});

test.each<[string, object]>([
  ["an address", { image: "https://x.example/a.png", conversations: turns }],
  ["a whole path", { image: "/data/a.png", conversations: turns }],
  ["base64", { image: base64, conversations: turns }],
  ["a data: address", { image: `data:image/png;base64,${base64}`, conversations: turns }],
  ["no picture", { image: null, conversations: turns, source: "a.png", url: "a.png" }],
])("%s stays, and the object is the same", (_, json) => {
  expect(renamePictures(json, moved)).toBe(json);
});
