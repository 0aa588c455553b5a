// What the pickles of PyTorch's tensors are made of: plain values, storages and views of them, and the few names of Python that a file
// of tensors needs. Imports and runs nothing of Python's.
import type { EngineError } from "#engine/errors.ts";

/** Elements in one piece, of which tensors are views; `key` names the archive's entry with the bytes. */
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

/** A class or function that the pickle refers to by name. */
export class Name {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}
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

/** Makes the error of the pickle that is being read. */
export type Problem = (what: string) => EngineError;

/** What the functions that a file of tensors calls return, by name. */
export const calls: Readonly<Record<string, (values: Pickled[], problem: Problem) => Pickled>> = {
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

/** Whether files of tensors need the name: a function above, a storage class or a dtype. */
export function isKnownName(name: string): boolean {
  return name in calls || storages.has(name) || /^torch\.(b?float|u?int|bool)\d*$/.test(name);
}

function tensorIn(values: readonly Pickled[], problem: Problem): PickledTensor {
  if (values[0] instanceof PickledTensor) return values[0];
  throw problem("a parameter holds no tensor");
}

/** The storage that a persistent id describes: ("storage", class, key, device, number of elements). */
export function storageOf(id: Pickled, problem: Problem): PickledStorage {
  if (Array.isArray(id)) {
    const [kind, type, key, , elements] = id;
    const dtype = type instanceof Name ? storages.get(type.text) : undefined;
    if (kind === "storage" && dtype !== undefined && typeof key === "string" && isSize(elements)) {
      return new PickledStorage(dtype, key, elements);
    }
  }
  throw problem("a storage is described in an unknown way");
}

function isSize(value: Pickled | undefined): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function areSizes(value: Pickled | undefined): value is number[] {
  return Array.isArray(value) && value.every(isSize);
}
