import { expect, test } from "vitest";
import { nameOfAddress, readDataAddress } from "./picture-address.ts";

test.each([
  ["/cats.png", "cats.png"],
  ["/cats%20and%20dogs.png", "cats and dogs.png"],
  ["/100%25.png", "100%.png"],
  ["/50%.png", "50%.png"],
  ["/sale-20%off.png", "sale-20%off.png"],
  ["/%FF.png", "%FF.png"],
  ["/%C3%28.png", "%C3%28.png"],
  ["/a/%", "%"],
  ["/%E4%BD%A0.png?x=%", "你.png"],
  ["/folder/", "folder"],
  ["/", "a.example"],
])("a picture from %s is called %s", (path, name) => {
  expect(nameOfAddress(`https://a.example${path}`)).toBe(name);
});

test("what is no address, or a very long one, has a name too", () => {
  expect(nameOfAddress("cats")).toBe("cats");
  expect(nameOfAddress("%")).toBe("%");
  expect(nameOfAddress("data:image/png;base64,AAAA")).toBe("picture");
  expect(nameOfAddress(`https://a.example/${"x".repeat(3000)}.png`).length).toBe(120);
});

test("the bytes of an address that holds its picture are read, and a broken one is none", async () => {
  const png = readDataAddress("data:image/png;base64,AP8=");
  expect([png?.type, [...new Uint8Array((await png?.arrayBuffer()) ?? new ArrayBuffer())]]).toEqual([
    "image/png",
    [0, 255],
  ]);
  expect(await readDataAddress("data:image/svg+xml;charset=utf-8,%3Csvg%3E50%25")?.text()).toBe("<svg>50%");
  expect(readDataAddress("data:image/png;base64,%%%")).toBeUndefined();
  expect(readDataAddress("https://a.example/a.png")).toBeUndefined();
});
