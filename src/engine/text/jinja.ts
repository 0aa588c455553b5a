// Renders chat templates of packages. Anybody may have written them, so time, nesting, value sizes and ranges are bounded.
// Knows no messages and no models.
import { Environment, Interpreter, parse, tokenize } from "@huggingface/jinja";
import { EngineError } from "#engine/errors.ts";

/** In characters. The longest template known has 20,000. */
const longestSource = 2 ** 20;
/** The most numbers of one range. */
const longestRange = 100_000;
/** The most characters of a string, or entries of a list. */
const longestValue = 2 ** 24;
/** The deepest nesting of expressions, blocks and calls. */
const deepest = 300;
/** The clock is not read before this many steps. Real templates take a few milliseconds in all. */
const freeSteps = 30;
const longestMs = 1000;

/** Renders a template with these variables. Throws "bad-package" where it exceeds a limit, and the library's error where it is invalid. */
export function renderTemplateSource(source: string, variables: Readonly<Record<string, unknown>>): string {
  if (source.length > longestSource) throw tooMuch(`has ${source.length} characters`);
  try {
    const environment = new Environment();
    for (const [name, value] of Object.entries({ ...globals, ...variables })) environment.set(name, value);
    const program = parse(tokenize(source, { lstrip_blocks: true, trim_blocks: true }));
    const { value } = new BoundedInterpreter(environment).run(program);
    if (typeof value !== "string") throw new EngineError("internal", "a template gave no text");
    return value;
  } catch (error) {
    // The stack overflows where a template calls itself or is nested too deep.
    if (error instanceof RangeError) throw tooMuch("is nested too deep, or builds too much", error);
    throw error;
  }
}

class BoundedInterpreter extends Interpreter {
  #steps = 0;
  #depth = 0;
  #startedAt = performance.now();

  override evaluate(
    ...[statement, environment]: Parameters<Interpreter["evaluate"]>
  ): ReturnType<Interpreter["evaluate"]> {
    this.#check();
    // Not restored after an error, because an error ends the whole rendering.
    this.#depth++;
    const result = super.evaluate(statement, environment);
    this.#depth--;
    const { value } = result;
    if ((typeof value === "string" || Array.isArray(value)) && value.length > longestValue)
      throw tooMuch(`builds a value of ${value.length} parts`);
    return result;
  }

  #check(): void {
    this.#steps++;
    if (this.#depth > deepest) throw tooMuch("is nested too deep, or calls itself");
    if (this.#steps > freeSteps && performance.now() - this.#startedAt > longestMs)
      throw tooMuch(`does not come to an end within ${longestMs} ms`);
  }
}

function tooMuch(what: string, cause?: unknown): EngineError {
  return new EngineError("bad-package", `the package's chat template ${what}`, { cause });
}

/** The globals that templates expect, with the library's semantics. */
const globals: Readonly<Record<string, unknown>> = {
  true: true,
  false: false,
  none: null,
  True: true,
  False: false,
  None: null,
  raise_exception(message: string) {
    throw new Error(message);
  },
  range(start: number, stop?: number, step = 1) {
    const [from, to] = stop === undefined ? [0, start] : [start, stop];
    if (step === 0) throw new Error("range() step must not be zero");
    const length = Math.max(0, Math.ceil((to - from) / step));
    if (length > longestRange) throw tooMuch(`counts to ${length}`);
    return Array.from({ length }, (_, i) => from + i * step);
  },
  strftime_now: (format: string) => formatDate(new Date(), format),
};

/** The directives of Python's strftime that templates use. */
function formatDate(date: Date, format: string): string {
  const twoDigits = (value: number): string => String(value).padStart(2, "0");
  const parts: Readonly<Record<string, () => string>> = {
    Y: () => String(date.getFullYear()),
    m: () => twoDigits(date.getMonth() + 1),
    d: () => twoDigits(date.getDate()),
    b: () => date.toLocaleDateString(undefined, { month: "short" }),
    B: () => date.toLocaleDateString(undefined, { month: "long" }),
    H: () => twoDigits(date.getHours()),
    M: () => twoDigits(date.getMinutes()),
    "%": () => "%",
  };
  return format.replace(/%([YmdbBHM%])/g, (whole, part: string) => parts[part]?.() ?? whole);
}
