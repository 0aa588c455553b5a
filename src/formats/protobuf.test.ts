import fc from "fast-check";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { expect, test } from "vitest";
import { encodeModel, ProtoWriter, varint, type Model } from "./protobuf.ts";

const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");

test("fields are written as protobuf's own examples show them", () => {
  expect(hex(new ProtoWriter().varint(1, 150).finish())).toBe("08 96 01");
  expect(hex(new ProtoWriter().string(2, "testing").finish())).toBe("12 07 74 65 73 74 69 6e 67");
  expect(hex(new ProtoWriter().message(3, new ProtoWriter().varint(1, 150)).finish())).toBe("1a 03 08 96 01");
  expect(hex(new ProtoWriter().float(2, 1).finish())).toBe("15 00 00 80 3f");
  expect(hex(new ProtoWriter().varint(20, 7).finish())).toBe("a0 01 07");
});

test("a varint read back is the number that was written, negative ones as 64-bit two's complement", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
      const bytes = varint(value);
      const read = bytes.reduce((sum, byte, i) => sum + (BigInt(byte & 0x7f) << BigInt(7 * i)), 0n);
      expect(BigInt.asIntN(64, read)).toBe(value);
      expect([...bytes].every((byte, i) => byte >= 128 === i < bytes.length - 1)).toBe(true);
    }),
  );
});

test("ONNX Runtime loads an encoded model with every kind of field and computes with it", async () => {
  const ints = new Uint8Array(new BigInt64Array([2n, -1n]).buffer);
  const model: Model = {
    irVersion: 10,
    producer: "test",
    opsets: [
      { domain: "", version: 21 },
      { domain: "com.microsoft", version: 1 },
    ],
    graph: {
      name: "g",
      nodes: [
        {
          name: "a",
          op: "Transpose",
          domain: "",
          inputs: ["x"],
          outputs: ["t"],
          attributes: { perm: { ints: [1, 0] } },
        },
        { name: "b", op: "Reshape", domain: "", inputs: ["t", "shape"], outputs: ["r"], attributes: {} },
        {
          name: "c",
          op: "QuickGelu",
          domain: "com.microsoft",
          inputs: ["r"],
          outputs: ["q"],
          attributes: { alpha: { float: 1 } },
        },
        { name: "d", op: "Cast", domain: "", inputs: ["q"], outputs: ["y"], attributes: { to: { int: 1 } } },
      ],
      initializers: [{ name: "shape", dtype: "int64", dims: [2], data: ints }],
      inputs: [{ name: "x", dtype: "float32", dims: ["n", 2] }],
      outputs: [{ name: "y", dtype: "float32", dims: [2, "m"] }],
    },
  };
  const session = await InferenceSession.create(encodeModel(model));
  const x = new Tensor("float32", Float32Array.of(0, 1, 2, 3), [2, 2]);
  const { y } = await session.run({ x });
  const silu = (v: number) => v / (1 + Math.exp(-v));
  expect(y?.dims).toEqual([2, 2]);
  [0, 2, 1, 3].forEach((value, i) => expect(Number(y?.data[i])).toBeCloseTo(silu(value), 5));
  await session.release();
});
