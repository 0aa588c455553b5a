import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EngineError } from "#engine/errors.ts";
import { readPickle } from "./pickle.ts";
import { PickledStorage, PickledTensor } from "./pickle-values.ts";

const read = (pickle: string) =>
  readPickle(
    Uint8Array.from(pickle, (c) => c.charCodeAt(0)),
    "x.bin",
  );

describe("values of every protocol", () => {
  test.each([
    ["None, True and False", "\x80\x03N\x88\x89\x87.", [null, true, false]],
    [
      "integers",
      "\x80\x02(K\x07M\x2c\x01J\xff\xff\xff\xff\x8a\x05\x00\x00\x00\x00\x01\x8a\x01\xfe\x8a\x00t.",
      [7, 300, -1, 2 ** 32, -2, 0],
    ],
    ["a float", "\x80\x02G\xbf\xf8\x00\x00\x00\x00\x00\x00.", -1.5],
    ["text", "\x80\x04\x95\x06\x00\x00\x00\x00\x00\x00\x00\x8c\x03\xc3\xa9!\x94.", "é!"],
    ["text of long lengths", "\x80\x04X\x01\x00\x00\x00a\x8d\x01\x00\x00\x00\x00\x00\x00\x00b\x86.", ["a", "b"]],
    ["strings of Python 2", "\x80\x02U\x01aT\x01\x00\x00\x00b\x86.", ["a", "b"]],
    ["bytes", "\x80\x03C\x02\x01\x02B\x01\x00\x00\x00\x03\x86.", [Uint8Array.of(1, 2), Uint8Array.of(3)]],
    ["lists, by one and by many", "\x80\x02]K\x01a(K\x02K\x03e.", [1, 2, 3]],
    ["a list and an empty tuple without a mark's values", "(lK\x01a)\x86.", [[1], []]],
    ["dicts, by one and by many", "\x80\x02}K\x01K\x02s(K\x03K\x04u.", new Map([[1, 2], [3, 4]])], // prettier-ignore
    ["a dict of protocol 0", "(X\x01\x00\x00\x00aK\x01d.", new Map([["a", 1]])],
    ["what the memo holds", "\x80\x02K\x01q\x050K\x02r\x06\x00\x00\x000h\x05j\x06\x00\x00\x00\x86.", [1, 2]],
    ["a dropped value", "\x80\x02K\x01K\x020.", 1],
  ])("%s", (_what, pickle, value) => {
    expect(read(pickle)).toEqual(value);
  });

  test("the memo gives the same object, not a copy", () => {
    const value = read("\x80\x04]\x94h\x00\x86.");
    expect(Array.isArray(value) && value[0] === value[1]).toBe(true);
  });
});

describe("what breaks the rules of a pickle is refused with a sentence", () => {
  test.each([
    ["nothing at all", "", "it breaks off at byte 0"],
    ["a text that is cut off", "X\x09\x00\x00\x00abc", "it breaks off at byte 8"],
    ["a newer protocol", "\x80\x06N.", "it is of a newer protocol than 5"],
    ["two values at the end", "NN.", "it does not end with one value"],
    ["no value at the end", ".", "it does not end with one value"],
    ["a tuple of too few", "N\x86.", "a value is missing"],
    ["a run without its mark", "Nt.", "a value is missing"],
    ["an unknown place of the memo", "h\x00.", "it refers to a value that was never made"],
    ["an append to no list", "NNa.", "it appends to something that is no list"],
    ["an item of no dict", "NNNs.", "it sets an item of something that is no dict"],
    ["a key without a value", "(Nd.", "a key of a dict has no value"],
    ["attributes of no object", "NNb.", "it sets attributes of something that is no dict"],
    ["a storage of another kind", "X\x01\x00\x00\x00aQ.", "a storage is described in an unknown way"],
    ["a name that is no text", "NN\x93.", "a name is not text"],
  ])("%s", (_what, pickle, sentence) => {
    expect(() => read(pickle)).toThrow(`x.bin can't be read: in its pickle, ${sentence}`);
  });
});

describe("code is refused, and not run", () => {
  test.each([
    ["a global", "cbuiltins\neval\n.", /asks for builtins\.eval/],
    ["a global from the stack", "\x80\x04\x8c\x08builtins\x8c\x04exec\x93.", /asks for builtins\.exec/],
    ["an old-style instance", "(i__builtin__\nset\n.", /instruction \(0x69\)/],
    ["an object of a class", "\x80\x02ccollections\nOrderedDict\n)\x81.", /instruction \(0x81\)/],
    ["a call of a type", "\x80\x02ctorch\nFloatStorage\n)R.", /calls something that is no function/],
    ["an extension", "\x80\x02\x82\x01.", /instruction \(0x82\)/],
  ])("%s", (_what, pickle, message) => {
    expect(() => read(pickle)).toThrow(message);
  });
});

test("parameters and sizes are what they hold", () => {
  const storage = "((X\x07\x00\x00\x00storagectorch\nHalfStorage\nX\x01\x00\x00\x007X\x03\x00\x00\x00cpuK\x06tQ";
  const tensor = `ctorch._utils\n_rebuild_tensor_v2\n${storage}K\x01ctorch\nSize\n(K\x02t\x85RK\x01\x85tR`;
  const value = read(`\x80\x02ctorch._utils\n_rebuild_parameter\n(${tensor}\x88Nt` + "R.");
  expect(value).toEqual(new PickledTensor(new PickledStorage("F16", "7", 6), 1, [2], [1]));
});

test("a pickle with bytes changed never does anything but read or be refused", () => {
  // OrderedDict([('w', tensor(storage '0'))]), by hand: the archive's checksum would keep changed pickles from the reader.
  const pickle =
    "\x80\x02}q\x00X\x01\x00\x00\x00wctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\n" +
    "X\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x06tQK\x00K\x02K\x03\x86K\x03K\x01\x86\x89ccollections\nOrderedDict\n)RtRs.";
  const whole = Uint8Array.from(pickle, (c) => c.charCodeAt(0));
  expect(readPickle(whole, "x.bin")).toMatchObject(
    new Map([["w", { offset: 0, shape: [2, 3], strides: [3, 1], storage: { dtype: "F32", key: "0", elements: 6 } }]]),
  );
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 4 }),
      fc.nat(whole.length),
      (changes, length) => {
        const bytes = whole.slice(0, length);
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        try {
          readPickle(bytes, "x.bin");
        } catch (error) {
          if (!(error instanceof EngineError) || error.code !== "bad-checkpoint") throw error;
        }
      },
    ),
    { numRuns: 3000 },
  );
});
