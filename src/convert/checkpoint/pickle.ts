// Reads the pickles that PyTorch puts its tensors in. Runs nothing: the few names a file of tensors needs are known here by heart, and
// a pickle that asks for any other is refused with that name. Knows where tensors say they lie, not whether the bytes are there.
import type { EngineError } from "#engine/errors.ts";
import { badCheckpoint } from "./bad-checkpoint.ts";

/** A run of elements that tensors are views of; `key` names its entry in the archive. */
export class PickledStorage {
  readonly dtype: string;
  readonly key: string;
  readonly elements: number;
  constructor(dtype: string, key: string, elements: number) {
    this.dtype = dtype;
    this.key = key;
    this.elements = elements;
  }
}

/** A view of a storage; offset and strides count elements. */
export class PickledTensor {
  readonly storage: PickledStorage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  constructor(storage: PickledStorage, offset: number, shape: readonly number[], strides: readonly number[]) {
    this.storage = storage;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }
}

/** A name that the pickle refers to. */
class Name {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}
const mark = Symbol("mark");

/** Lists and tuples are arrays, dicts are maps. */
export type Pickled =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | PickledStorage
  | PickledTensor
  | Name
  | Pickled[]
  | Map<Pickled, Pickled>;
type Item = Pickled | typeof mark;

/** PyTorch's storage classes and the elements they hold. */
const storages = new Map(
  Object.entries({
    DoubleStorage: "F64",
    FloatStorage: "F32",
    HalfStorage: "F16",
    BFloat16Storage: "BF16",
    LongStorage: "I64",
    IntStorage: "I32",
    ShortStorage: "I16",
    CharStorage: "I8",
    ByteStorage: "U8",
    BoolStorage: "BOOL",
  }).map(([name, dtype]) => [`torch.${name}`, dtype]),
);

const calls: Readonly<Record<string, (values: Pickled[], problem: (what: string) => EngineError) => Pickled>> = {
  "collections.OrderedDict": (values, problem) => {
    const pairs = values[0] ?? [];
    if (!Array.isArray(pairs)) throw problem("an ordered dict is not made of pairs");
    return new Map(
      pairs.map((pair): [Pickled, Pickled] => {
        if (Array.isArray(pair) && pair[0] !== undefined && pair[1] !== undefined) return [pair[0], pair[1]];
        throw problem("an ordered dict is not made of pairs");
      }),
    );
  },
  "torch.Size": (values) => values[0] ?? [],
  "torch._utils._rebuild_parameter": (values, problem) => tensorIn(values, problem),
  "torch._utils._rebuild_parameter_with_state": (values, problem) => tensorIn(values, problem),
  "torch._utils._rebuild_tensor_v2": ([storage, offset, shape, strides], problem) => {
    if (storage instanceof PickledStorage && isSize(offset) && areSizes(shape) && areSizes(strides)) {
      if (shape.length === strides.length) return new PickledTensor(storage, offset, shape, strides);
    }
    throw problem("a tensor is not described by storage, offset, shape and strides");
  },
};

const known = (name: string) => name in calls || storages.has(name) || /^torch\.(b?float|u?int|bool)\d*$/.test(name);

function tensorIn(values: readonly Pickled[], problem: (what: string) => EngineError): PickledTensor {
  if (values[0] instanceof PickledTensor) return values[0];
  throw problem("a parameter holds no tensor");
}

/** The one value in a pickle of protocol 0 to 5; `file` is for messages. */
export function readPickle(bytes: Uint8Array, file: string): Pickled {
  return new Reader(bytes, file).run();
}

const text = new TextDecoder();

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #file: string;
  readonly #stack: Item[] = [];
  readonly #memo = new Map<number, Pickled>();
  #at = 0;

  constructor(bytes: Uint8Array, file: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#file = file;
  }

  run(): Pickled {
    for (;;) {
      const at = this.#at;
      const opcode = String.fromCharCode(this.#byte());
      if (opcode === ".") {
        if (this.#stack.length !== 1) throw this.#problem("it does not end with one value");
        return this.#pop();
      }
      if (!this.#step(opcode)) {
        const code = opcode.charCodeAt(0).toString(16).padStart(2, "0");
        throw this.#problem(`byte ${at} is an instruction (0x${code}) that files of tensors have no use for`);
      }
    }
  }

  /** One instruction; false when it is none of those that are read. */
  #step(opcode: string): boolean {
    switch (opcode) {
      case "\x80": // PROTO
        if (this.#byte() > 5) throw this.#problem("it is of a newer protocol than 5");
        return true;
      case "\x95": // FRAME
        this.#take(8);
        return true;
      case "(":
        this.#stack.push(mark);
        return true;
      case "0":
        this.#stack.pop();
        return true;
      case "N":
        return this.#push(null);
      case "\x88":
        return this.#push(true);
      case "\x89":
        return this.#push(false);
      case "K":
        return this.#push(this.#byte());
      case "M":
        return this.#push(this.#unsigned(2));
      case "J":
        return this.#push(this.#view.getInt32(this.#skip(4), true));
      case "G":
        return this.#push(this.#view.getFloat64(this.#skip(8)));
      case "\x8a":
        return this.#push(this.#long(this.#byte()));
      case "X":
        return this.#push(text.decode(this.#take(this.#unsigned(4))));
      case "\x8c":
      case "U": // a string of Python 2
        return this.#push(text.decode(this.#take(this.#byte())));
      case "T":
        return this.#push(text.decode(this.#take(this.#unsigned(4))));
      case "\x8d":
        return this.#push(text.decode(this.#take(this.#unsigned(8))));
      case "C":
        return this.#push(this.#take(this.#byte()));
      case "B":
        return this.#push(this.#take(this.#unsigned(4)));
      case "]":
      case ")":
        return this.#push([]);
      case "}":
        return this.#push(new Map());
      case "t":
      case "l":
        return this.#push(this.#popToMark());
      case "\x85":
      case "\x86":
      case "\x87": {
        const values: Pickled[] = [];
        for (let n = opcode.charCodeAt(0) - 0x84; n > 0; n--) values.unshift(this.#pop());
        return this.#push(values);
      }
      case "a": {
        const value = this.#pop();
        this.#list().push(value);
        return true;
      }
      case "e": {
        const values = this.#popToMark();
        const list = this.#list();
        for (const value of values) list.push(value);
        return true;
      }
      case "d":
        return this.#push(this.#filled(new Map(), this.#popToMark()));
      case "s": {
        const value = this.#pop();
        const key = this.#pop();
        this.#dict().set(key, value);
        return true;
      }
      case "u": {
        const values = this.#popToMark();
        this.#filled(this.#dict(), values);
        return true;
      }
      case "q":
        return this.#remember(this.#byte());
      case "r":
        return this.#remember(this.#unsigned(4));
      case "\x94":
        return this.#remember(this.#memo.size);
      case "h":
        return this.#recall(this.#byte());
      case "j":
        return this.#recall(this.#unsigned(4));
      case "c":
        return this.#push(this.#name(this.#line(), this.#line()));
      case "\x93": {
        const name = this.#pop();
        const module = this.#pop();
        if (typeof name !== "string" || typeof module !== "string") throw this.#problem("a name is not text");
        return this.#push(this.#name(module, name));
      }
      case "Q":
        return this.#push(this.#storage(this.#pop()));
      case "R": {
        const values = this.#pop();
        const callee = this.#pop();
        const call = callee instanceof Name ? calls[callee.text] : undefined;
        if (!call || !Array.isArray(values)) throw this.#problem("it calls something that is no function of tensors");
        return this.#push(call(values, (what) => this.#problem(what)));
      }
      case "b": {
        // Attributes of an ordered dict (its versions, for PyTorch's own upgrades) and of parameters are of no use here.
        this.#pop();
        const owner = this.#stack.at(-1);
        if (owner instanceof Map || owner instanceof PickledTensor) return true;
        throw this.#problem("it sets attributes of something that is no dict");
      }
      default:
        return false;
    }
  }

  #name(module: string, name: string): Name {
    const full = `${module}.${name}`;
    if (known(full)) return new Name(full);
    throw badCheckpoint(
      `${this.#file} asks for ${full.slice(0, 80)}, which is code and not a tensor; it was not run, and the file is not read`,
    );
  }

  #storage(id: Pickled): PickledStorage {
    if (Array.isArray(id)) {
      const [kind, type, key, , elements] = id;
      const dtype = type instanceof Name ? storages.get(type.text) : undefined;
      if (kind === "storage" && dtype !== undefined && typeof key === "string" && isSize(elements)) {
        return new PickledStorage(dtype, key, elements);
      }
    }
    throw this.#problem("a storage is described in an unknown way");
  }

  #push(value: Pickled): true {
    this.#stack.push(value);
    return true;
  }

  #pop(): Pickled {
    const value = this.#stack.pop();
    if (value === undefined || value === mark) throw this.#problem("a value is missing");
    return value;
  }

  #popToMark(): Pickled[] {
    const at = this.#stack.lastIndexOf(mark);
    if (at < 0) throw this.#problem("a value is missing");
    const values = this.#stack.splice(at);
    return values.flatMap((value) => (value === mark ? [] : [value]));
  }

  #list(): Pickled[] {
    const list = this.#stack.at(-1);
    if (Array.isArray(list)) return list;
    throw this.#problem("it appends to something that is no list");
  }

  #dict(): Map<Pickled, Pickled> {
    const dict = this.#stack.at(-1);
    if (dict instanceof Map) return dict;
    throw this.#problem("it sets an item of something that is no dict");
  }

  #filled(dict: Map<Pickled, Pickled>, values: readonly Pickled[]): Map<Pickled, Pickled> {
    for (let i = 0; i + 1 < values.length; i += 2) dict.set(values[i] ?? null, values[i + 1] ?? null);
    if (values.length % 2 !== 0) throw this.#problem("a key of a dict has no value");
    return dict;
  }

  #remember(index: number): true {
    const value = this.#stack.at(-1);
    if (value === undefined || value === mark) throw this.#problem("a value is missing");
    this.#memo.set(index, value);
    return true;
  }

  #recall(index: number): true {
    const value = this.#memo.get(index);
    if (value === undefined) throw this.#problem("it refers to a value that was never made");
    return this.#push(value);
  }

  #byte(): number {
    return this.#bytes[this.#skip(1)] ?? 0;
  }

  /** Where the next `count` bytes begin; the reader goes past them. */
  #skip(count: number): number {
    const at = this.#at;
    if (at + count > this.#bytes.length) throw this.#problem(`it breaks off at byte ${this.#bytes.length}`);
    this.#at += count;
    return at;
  }

  #take(count: number): Uint8Array {
    const at = this.#skip(count);
    return this.#bytes.subarray(at, at + count);
  }

  #unsigned(count: 2 | 4 | 8): number {
    const at = this.#skip(count);
    if (count === 2) return this.#view.getUint16(at, true);
    return count === 4 ? this.#view.getUint32(at, true) : Number(this.#view.getBigUint64(at, true));
  }

  #long(count: number): number {
    let value = 0n;
    this.#take(count).forEach((byte, i) => (value |= BigInt(byte) << BigInt(8 * i)));
    return Number(count > 0 ? BigInt.asIntN(8 * count, value) : 0n);
  }

  #line(): string {
    const end = this.#bytes.indexOf(10, this.#at);
    const line = text.decode(this.#take((end < 0 ? this.#bytes.length : end) - this.#at));
    this.#skip(1);
    return line;
  }

  #problem(what: string): EngineError {
    return badCheckpoint(`${this.#file} can't be read: in its pickle, ${what}`);
  }
}

function isSize(value: Pickled | undefined): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function areSizes(value: Pickled | undefined): value is number[] {
  return Array.isArray(value) && value.every(isSize);
}
