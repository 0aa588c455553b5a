import { describe, expect, test } from "vitest";
import { RemoteError } from "./errors.ts";
import { hostOf, parseServerUrl } from "./server.ts";

const codeOf = (typed: string): string => {
  try {
    return parseServerUrl(typed);
  } catch (error) {
    return error instanceof RemoteError ? error.code : String(error);
  }
};

describe("the address of a server", () => {
  test.each([
    ["localhost:8000", "http://localhost:8000/v1"],
    [" http://localhost:8000/ ", "http://localhost:8000/v1"],
    ["127.0.0.1:11434/v1/", "http://127.0.0.1:11434/v1"],
    ["http://[::1]:8080", "http://localhost:8080/v1"],
    ["http://0.0.0.0:8000/v1", "http://localhost:8000/v1"],
    ["gpu.example", "https://gpu.example/v1"],
    ["https://gpu.example/v1/chat/completions", "https://gpu.example/v1"],
    ["https://gpu.example/api/v1/models?x=1#y", "https://gpu.example/api/v1"],
    ["https://gpu.example:8443/openai", "https://gpu.example:8443/openai"],
  ])("%s is %s", (typed, url) => {
    expect(parseServerUrl(typed)).toBe(url);
  });

  test("plain http to another machine has an error of its own, and what is no address another", () => {
    expect(codeOf("http://192.168.1.5:8000")).toBe("server-insecure");
    expect(codeOf("http://gpu.local:8000")).toBe("server-insecure");
    expect(codeOf("http://localhost.evil.example")).toBe("server-insecure");
    for (const typed of [
      "",
      "  ",
      "ftp://gpu.example",
      "javascript:alert(1)",
      "https://",
      "https://me:secret@gpu.example",
    ])
      expect(codeOf(typed), typed).toBe("server-address");
  });
});

test("the host is what is shown: with its port, without the path", () => {
  expect(hostOf({ url: "http://localhost:8000/v1" })).toBe("localhost:8000");
  expect(hostOf({ url: "https://gpu.example/api/v1" })).toBe("gpu.example");
});
