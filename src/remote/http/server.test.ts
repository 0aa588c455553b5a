import { describe, expect, test } from "vitest";
import { RemoteError } from "./errors.ts";
import { hostOf, isLocal, isThisMachine, parseServerUrl } from "./server.ts";

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

test("this machine has many names, and names that only look like it are others", () => {
  for (const host of [
    "localhost",
    "localhost:8000",
    "LOCALHOST:1",
    "app.localhost",
    "127.0.0.1:8000",
    "127.1.2.3",
    "[::1]:8080",
  ])
    expect(isThisMachine(host), host).toBe(true);
  for (const host of [
    "localhost.example",
    "127.0.0.1.example:80",
    "192.168.0.7:8000",
    "gpu.example",
    "mylocalhost",
    "[2001:db8::1]",
  ])
    expect(isThisMachine(host), host).toBe(false);
});

test("only addresses of this machine and of its network are local", () => {
  for (const host of [
    "localhost:8000",
    "127.0.0.1",
    "10.0.0.5",
    "172.20.1.1:8443",
    "192.168.0.7",
    "169.254.1.1",
    "100.100.1.1",
    "gpu",
    "gpu:8000",
    "gpu.local",
    "nas.lan",
    "[fe80::1]",
    "[fd00::1]:8000",
  ])
    expect(isLocal(`https://${host}/v1`), host).toBe(true);
  for (const host of [
    "gpu.example",
    "api.openai.com",
    "172.32.0.1",
    "11.0.0.1",
    "8.8.8.8",
    "192.169.0.1",
    "local.example",
    "[2001:db8::1]",
    "fd00.example",
  ])
    expect(isLocal(`https://${host}/v1`), host).toBe(false);
});

test("the host is what is shown: with its port, without the path", () => {
  expect(hostOf({ url: "http://localhost:8000/v1" })).toBe("localhost:8000");
  expect(hostOf({ url: "https://gpu.example/api/v1" })).toBe("gpu.example");
});
