// Reads the pickles in which PyTorch describes its tensors. It is a stack machine for the instructions that files of tensors use, and
// it runs nothing: a pickle that asks for a name not in pickle-values.ts is refused. Does not check that the tensors' bytes are there.
import type { EngineError } from "#engine/errors.ts";
import { badCheckpoint } from "./bad-checkpoint.ts";
import { ByteCursor } from "./byte-cursor.ts";
import { calls, isKnownName, Name, PickledTensor, storageOf, type Pickled } from "./pickle-values.ts";

/** The one value in a pickle of protocol 0 to 5; `file` is for messages. Throws EngineError("bad-checkpoint"). */
export function readPickle(bytes: Uint8Array, file: string): Pickled {
  const machine = new Machine(bytes, file);
  for (;;) {
    const at = machine.bytes.at;
    const opcode = String.fromCharCode(machine.bytes.byte());
    if (opcode === ".") return machine.end();
    const instruction = instructions[opcode];
    if (instruction === undefined) {
      const code = opcode.charCodeAt(0).toString(16).padStart(2, "0");
      throw machine.problem(`byte ${at} is an instruction (0x${code}) that files of tensors have no use for`);
    }
    instruction(machine);
  }
}

/** Marks the beginning of a run of values on the stack. */
const mark = Symbol("mark");

/** The stack and the memo that instructions work on. */
class Machine {
  readonly bytes: ByteCursor;
  readonly #file: string;
  readonly #stack: (Pickled | typeof mark)[] = [];
  readonly #memo = new Map<number, Pickled>();

  constructor(bytes: Uint8Array, file: string) {
    this.#file = file;
    this.bytes = new ByteCursor(bytes, (length) => this.problem(`it breaks off at byte ${length}`));
  }

  /** The value that the pickle leaves. */
  end(): Pickled {
    if (this.#stack.length !== 1) throw this.problem("it does not end with one value");
    return this.pop();
  }

  push(value: Pickled | typeof mark): void {
    this.#stack.push(value);
  }

  pop(): Pickled {
    const value = this.#stack.pop();
    if (value === undefined || value === mark) throw this.problem("a value is missing");
    return value;
  }

  /** Takes the topmost item off, whatever it is, even where there is none. */
  drop(): void {
    this.#stack.pop();
  }

  /** Takes everything above the last mark off, and the mark. */
  popToMark(): Pickled[] {
    const at = this.#stack.lastIndexOf(mark);
    if (at < 0) throw this.problem("a value is missing");
    const values = this.#stack.splice(at);
    return values.flatMap((value) => (value === mark ? [] : [value]));
  }

  popTuple(length: number): void {
    const values: Pickled[] = [];
    for (let n = length; n > 0; n--) values.unshift(this.pop());
    this.push(values);
  }

  /** The list on top of the stack, which stays there. */
  list(): Pickled[] {
    const list = this.#stack.at(-1);
    if (Array.isArray(list)) return list;
    throw this.problem("it appends to something that is no list");
  }

  /** The dict on top of the stack, which stays there. */
  dict(): Map<Pickled, Pickled> {
    const dict = this.#stack.at(-1);
    if (dict instanceof Map) return dict;
    throw this.problem("it sets an item of something that is no dict");
  }

  /** Adds keys and values that follow one another. */
  fill(dict: Map<Pickled, Pickled>, values: readonly Pickled[]): Map<Pickled, Pickled> {
    for (let i = 0; i + 1 < values.length; i += 2) dict.set(values[i] ?? null, values[i + 1] ?? null);
    if (values.length % 2 !== 0) throw this.problem("a key of a dict has no value");
    return dict;
  }

  /** Keeps the topmost value in the memo; by default under the next number. */
  memoize(index = this.#memo.size): void {
    const value = this.#stack.at(-1);
    if (value === undefined || value === mark) throw this.problem("a value is missing");
    this.#memo.set(index, value);
  }

  recall(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) throw this.problem("it refers to a value that was never made");
    this.push(value);
  }

  pushName(module: string, name: string): void {
    const full = `${module}.${name}`;
    if (!isKnownName(full)) {
      throw badCheckpoint(
        `${this.#file} asks for ${full.slice(0, 80)}, which is code and not a tensor; it was not run, and the file is not read`,
      );
    }
    this.push(new Name(full));
  }

  pushNameFromStack(): void {
    const name = this.pop();
    const module = this.pop();
    if (typeof name !== "string" || typeof module !== "string") throw this.problem("a name is not text");
    this.pushName(module, name);
  }

  call(): void {
    const values = this.pop();
    const callee = this.pop();
    const call = callee instanceof Name ? calls[callee.text] : undefined;
    if (!call || !Array.isArray(values)) throw this.problem("it calls something that is no function of tensors");
    this.push(call(values, this.problem));
  }

  /** Drops attributes: those of ordered dicts (versions, for PyTorch's own upgrades) and of parameters are of no use here. */
  dropAttributes(): void {
    this.pop();
    const owner = this.#stack.at(-1);
    if (owner instanceof Map || owner instanceof PickledTensor) return;
    throw this.problem("it sets attributes of something that is no dict");
  }

  readonly problem = (what: string): EngineError =>
    badCheckpoint(`${this.#file} can't be read: in its pickle, ${what}`);
}

/** What files of tensors use of pickle's instructions, by opcode (named as in Python's pickletools). */
const instructions: Readonly<Record<string, (machine: Machine) => void>> = {
  // PROTO
  "\x80": (m) => {
    if (m.bytes.byte() > 5) throw m.problem("it is of a newer protocol than 5");
  },
  // FRAME
  "\x95": (m) => void m.bytes.take(8),

  // MARK, POP
  "(": (m) => m.push(mark),
  "0": (m) => m.drop(),

  // NONE, NEWTRUE, NEWFALSE
  N: (m) => m.push(null),
  "\x88": (m) => m.push(true),
  "\x89": (m) => m.push(false),

  // BININT1, BININT2, BININT, BINFLOAT, LONG1
  K: (m) => m.push(m.bytes.byte()),
  M: (m) => m.push(m.bytes.unsigned(2)),
  J: (m) => m.push(m.bytes.int32()),
  G: (m) => m.push(m.bytes.bigEndianFloat64()),
  "\x8a": (m) => m.push(m.bytes.long(m.bytes.byte())),

  // BINUNICODE, SHORT_BINUNICODE, BINUNICODE8; SHORT_BINSTRING and BINSTRING are strings of Python 2
  X: (m) => m.push(m.bytes.text(m.bytes.unsigned(4))),
  "\x8c": (m) => m.push(m.bytes.text(m.bytes.byte())),
  "\x8d": (m) => m.push(m.bytes.text(m.bytes.unsigned(8))),
  U: (m) => m.push(m.bytes.text(m.bytes.byte())),
  T: (m) => m.push(m.bytes.text(m.bytes.unsigned(4))),

  // SHORT_BINBYTES, BINBYTES
  C: (m) => m.push(m.bytes.take(m.bytes.byte())),
  B: (m) => m.push(m.bytes.take(m.bytes.unsigned(4))),

  // EMPTY_LIST, EMPTY_TUPLE, LIST, TUPLE, TUPLE1, TUPLE2, TUPLE3
  "]": (m) => m.push([]),
  ")": (m) => m.push([]),
  l: (m) => m.push(m.popToMark()),
  t: (m) => m.push(m.popToMark()),
  "\x85": (m) => m.popTuple(1),
  "\x86": (m) => m.popTuple(2),
  "\x87": (m) => m.popTuple(3),

  // APPEND, APPENDS
  a: (m) => {
    const value = m.pop();
    m.list().push(value);
  },
  e: (m) => {
    const values = m.popToMark();
    const list = m.list();
    for (const value of values) list.push(value);
  },

  // EMPTY_DICT, DICT, SETITEM, SETITEMS
  "}": (m) => m.push(new Map()),
  d: (m) => m.push(m.fill(new Map(), m.popToMark())),
  s: (m) => {
    const value = m.pop();
    const key = m.pop();
    m.dict().set(key, value);
  },
  u: (m) => {
    const values = m.popToMark();
    m.fill(m.dict(), values);
  },

  // BINPUT, LONG_BINPUT, MEMOIZE, BINGET, LONG_BINGET
  q: (m) => m.memoize(m.bytes.byte()),
  r: (m) => m.memoize(m.bytes.unsigned(4)),
  "\x94": (m) => m.memoize(),
  h: (m) => m.recall(m.bytes.byte()),
  j: (m) => m.recall(m.bytes.unsigned(4)),

  // GLOBAL, STACK_GLOBAL, BINPERSID, REDUCE, BUILD
  c: (m) => m.pushName(m.bytes.line(), m.bytes.line()),
  "\x93": (m) => m.pushNameFromStack(),
  Q: (m) => m.push(storageOf(m.pop(), m.problem)),
  R: (m) => m.call(),
  b: (m) => m.dropAttributes(),
};
