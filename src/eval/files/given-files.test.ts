import { expect, test } from "vitest";
import { asDataFiles, indexFiles } from "./given-files.ts";

const given = (...paths: readonly string[]) => indexFiles(paths.map((path) => ({ path, blob: new Blob([path]) })));

test("a file is found by the end of its path, in the folder that fits best", () => {
  const files = given("eval/a/1.jpg", "eval/b/1.jpg", "2.jpg");
  expect(files.find("b/1.jpg")?.path).toBe("eval/b/1.jpg");
  expect(files.find("./a/1.jpg")?.path).toBe("eval/a/1.jpg");
  // Of several that fit as well, the one that was given last.
  expect(files.find("1.jpg")?.path).toBe("eval/b/1.jpg");
  expect(files.find("val2014/2.jpg")?.path).toBe("2.jpg");
  expect(files.find("12.jpg")).toBeUndefined();
});

test("a benchmark's folder is read as on disk, whatever stands above it", async () => {
  const data = asDataFiles(
    given("x/pope/coco/b.json", "x/pope/coco/a.json", "x/pope/q.jsonl", "notcoco/c.json"),
    "pope",
  );
  expect(await data.list("coco")).toEqual(["a.json", "b.json"]);
  expect(await data.list("images")).toBeUndefined();
  expect(await data.find(["missing.json", "coco/a.json"])).toEqual({ path: "x/pope/coco/a.json", text: "x/pope/coco/a.json" }); // prettier-ignore
});
