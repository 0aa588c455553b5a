// Where checkpoints lie: a hub, any server, dropped files. Real requests to a server on this machine.
import { afterEach, beforeEach, expect, test } from "vitest";
import { publishOnHub, testCommit } from "#testing/servers/hub-server.node.ts";
import {
  randomBytes,
  startPackageServer,
  testPackage,
  type PackageServer,
} from "#testing/servers/package-server.node.ts";
import { addressFolder } from "./address-folder.ts";
import { fileFolder } from "./file-folder.ts";
import { GatedError, openHubFolder } from "./hub-folder.ts";

const weights = randomBytes(5, 50_000);
const config = new TextEncoder().encode('{"model_type":"llava"}');
const files = new Map([
  ["config.json", config],
  ["model.safetensors", weights],
]);
const repository = "someone/tiny";

let server: PackageServer;
beforeEach(async () => {
  server = await startPackageServer(testPackage());
  publishOnHub(server, repository, files, { license: "mit" });
});
afterEach(() => server.stop());

const address = () => ({ host: new URL("/", server.baseUrl).href, repository, revision: "main" });
/** Requests that wait for nothing. */
const quick = { backoffMs: () => 1 };

test("a hub's repository: its commit, license and hashes; weights by ranges, several at once; what it lacks is not asked for", async () => {
  const { folder, commit, license } = await openHubFolder(address(), undefined, quick);
  expect([folder.name, commit, license]).toEqual(["tiny", testCommit, "mit"]);
  expect(await folder.names?.()).toEqual([...files.keys()]);
  const file = await folder.open("model.safetensors");
  expect(file?.bytes).toBe(weights.length);
  expect(file?.sha256).toMatch(/^[0-9a-f]{64}$/);
  server.asked.length = 0;
  const spans = [0, 10_000, 49_000].map((at) => [at, at + 1000] as const);
  const parts = await Promise.all(spans.map(async ([from, to]) => await file?.read(from, to - from)));
  expect(parts).toEqual(spans.map(([from, to]) => weights.slice(from, to)));
  expect(server.asked.every(({ ranged, path }) => ranged && path.includes(testCommit))).toBe(true);
  server.asked.length = 0;
  expect(await folder.open("pytorch_model.bin")).toBeUndefined();
  expect(server.asked).toEqual([]);
});

test("bytes are put into memory that is given, where its length is right", async () => {
  const { folder } = await openHubFolder(address(), undefined, quick);
  const file = await folder.open("model.safetensors");
  const into = new Uint8Array(1000);
  expect(await file?.read(500, 1000, into)).toBe(into);
  expect(into).toEqual(weights.slice(500, 1500));
  expect(await file?.read(500, 10, into)).toEqual(weights.slice(500, 510));
});

test("a small file that is not the one that the hub lists is refused, and a read goes on where its connection broke", async () => {
  const { folder } = await openHubFolder(address(), undefined, quick);
  let cuts = 2;
  server.misbehave = ({ path }) => {
    if (path.endsWith("config.json")) return { kind: "instead", bytes: new TextEncoder().encode("{}") };
    return path.endsWith(".safetensors") && cuts-- > 0 ? { kind: "cut", afterBytes: 300 } : undefined;
  };
  await expect(folder.open("config.json")).rejects.toMatchObject({ code: "integrity" });
  const file = await folder.open("model.safetensors");
  server.asked.length = 0;
  expect(await file?.read(1000, 2000)).toEqual(weights.slice(1000, 3000));
  expect(server.asked.map(({ start }) => start)).toEqual([1000, 1300, 1600]);
});

test.each([401, 403] as const)(
  "status %i is a place that asks for a token, also where it comes at the weights",
  async (status) => {
    server.misbehave = () => ({ kind: "status", status });
    const page = `${address().host}${repository}`;
    await expect(openHubFolder(address(), undefined, quick)).rejects.toMatchObject({ status, page });
    server.misbehave = ({ ranged }) => (ranged ? { kind: "status", status } : undefined);
    const { folder } = await openHubFolder(address(), undefined, quick);
    const file = await folder.open("model.safetensors");
    await expect(file?.read(0, 10)).rejects.toBeInstanceOf(GatedError);
  },
);

test("a token goes to the hub and to no other host, and one that could be no header is refused before anything is sent", async () => {
  const sent: [string, string | null][] = [];
  const spy: typeof fetch = (input, init) => {
    const url = input instanceof Request ? input.url : input.toString();
    sent.push([url, new Headers(init?.headers).get("authorization")]);
    return fetch(input, init);
  };
  const { folder } = await openHubFolder(address(), "hf_secret", { ...quick, fetch: spy });
  await (await folder.open("model.safetensors"))?.read(0, 10);
  expect(sent.length).toBeGreaterThan(1);
  expect(sent.every(([url, token]) => url.startsWith(address().host) && token === "Bearer hf_secret")).toBe(true);
  sent.length = 0;
  await expect(openHubFolder(address(), "two words", { ...quick, fetch: spy })).rejects.toMatchObject({ code: "bad-checkpoint" }); // prettier-ignore
  expect(sent).toEqual([]);
});

test("a server's folder: sizes without a listing, by plain requests; a file that is not there is none", async () => {
  server.files = files;
  const folder = addressFolder(server.baseUrl, quick);
  expect(folder.name).toBe("model");
  const file = await folder.open("model.safetensors");
  expect(file?.bytes).toBe(weights.length);
  expect(await file?.read(100, 50)).toEqual(weights.slice(100, 150));
  expect(await (await folder.open("config.json"))?.read(0, config.length)).toEqual(config);
  expect(await folder.open("pytorch_model.bin")).toBeUndefined();
});

test("a file that changes on its server while it is read is told as that, where nobody publishes a hash", async () => {
  server.files = files;
  server.etags = true;
  const file = await addressFolder(server.baseUrl, quick).open("model.safetensors");
  await file?.read(0, 100);
  server.files = new Map([["model.safetensors", randomBytes(6, weights.length)]]);
  await expect(file?.read(100, 100)).rejects.toThrow("model.safetensors changed while it was read");
});

test("dropped files: the folder around config.json is cut, and what lies elsewhere is not among them", async () => {
  const drop = new Map([
    ["tiny/config.json", new File([config], "config.json")],
    ["tiny/model.safetensors", new File([weights], "model.safetensors")],
    ["notes.txt", new File(["mine"], "notes.txt")],
  ]);
  const folder = fileFolder("tiny", drop);
  expect(await folder.names?.()).toEqual(["config.json", "model.safetensors"]);
  const file = await folder.open("model.safetensors");
  expect(await file?.read(20, 30)).toEqual(weights.slice(20, 50));
  expect(await folder.open("notes.txt")).toBeUndefined();
  await expect(file?.read(weights.length - 5, 10)).rejects.toThrow("changed while it was read");
});
