import { expect, test } from "vitest";
import { publishOnHub } from "#testing/servers/hub-server.node.ts";
import { hubAddress } from "#weights/download/hub-address.ts";
import { planHubPackage, type HubPrecision } from "#weights/download/hub-plan.ts";
import { startPackageServer, testPackage } from "#testing/servers/package-server.node.ts";
import { zoo } from "./zoo.ts";

const suffixes = { fp32: "", fp16: "_fp16", q8: "_quantized", q4: "_q4", q4f16: "_q4f16" } as const;
/** One byte stands for a hundred thousand. */
const scale = 1e5;

const looked = zoo.flatMap(({ id, sources }) =>
  sources.flatMap((source) => {
    if (source.format !== "onnx" || source.parts === undefined) return [];
    const { repository, parts } = source;
    return (["gpu-f16", "gpu-f32", "cpu"] as const satisfies readonly HubPrecision[]).flatMap((precision) => {
      const bytes = source.bytes[precision];
      return bytes === undefined ? [] : [{ id, precision, bytes, parts, repository }];
    });
  }),
);

test.each(looked)("$id on $precision: the size told is that of the files a device gets", async (record) => {
  const server = await startPackageServer(testPackage());
  try {
    const files = new Map<string, Uint8Array>([["config.json", new TextEncoder().encode("{}")]]);
    for (const [part, sizes] of Object.entries(record.parts)) {
      for (const [dtype, suffix] of Object.entries(suffixes)) {
        const bytes = Object.entries(sizes).find(([name]) => name === dtype)?.[1];
        if (bytes !== undefined) files.set(`onnx/${part}${suffix}.onnx`, new Uint8Array(bytes / scale));
      }
    }
    const address = hubAddress(publishOnHub(server, record.repository, files));
    if (address === undefined) throw new Error("no address");
    const { files: chosen } = await planHubPackage(address, record.precision);
    const bytes = chosen.filter(({ path }) => path.startsWith("onnx/")).reduce((sum, file) => sum + file.bytes, 0);
    expect(bytes * scale).toBe(record.bytes);
  } finally {
    await server.stop();
  }
});
