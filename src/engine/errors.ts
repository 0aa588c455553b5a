// The closed set of things that can go wrong in the engine, the weights and the worker.
// Knows no sentence for people: the page and the command line have one per code.

/** Every code an error of ours can carry; the page has a sentence with a next step for each. */
export const errorCodes = [
  "bad-package", // a file of the model package is missing, malformed or of a version we do not know
  "bad-checkpoint", // the checkpoint given to the converter is missing something, mis-shaped or unknown
  "bad-image", // a picture could not be decoded
  "bad-input", // a request the engine can't serve (unknown option, impossible size)
  "context-full", // prompt and answer do not fit the context
  "device-lost", // the GPU device went away
  "worker-dead", // the worker stopped answering
  "numerics", // the self-test found wrong numbers on every device that was tried
  "no-device", // the device that was asked for is not there
  "out-of-memory", // an allocation failed
  "network", // a file could not be fetched
  "http", // the server answered with an error status
  "integrity", // bytes do not match their SHA-256
  "quota", // the browser's storage is full
  "storage", // the browser's storage failed in another way
  "insecure", // the page came over plain HTTP from another machine, where browsers give no WebCrypto
  "disk", // a file could not be written or read (Node)
  "internal", // a bug of ours
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/** What we throw for things that should not happen; `message` is for developers, `code` selects the sentence people read. */
export class EngineError extends Error {
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    // Comlink carries name, message and stack only, so the code travels in the name.
    this.name = `EngineError/${code}`;
  }
}

/** The code of anything thrown, also after a trip through Comlink; `internal` for what is not ours. */
export function errorCodeOf(error: unknown): ErrorCode {
  if (error instanceof EngineError) return error.code;
  const name = error instanceof Error ? error.name : "";
  const code = name.startsWith("EngineError/") ? name.slice("EngineError/".length) : "";
  return errorCodes.find((known) => known === code) ?? "internal";
}

/** Whether a message is what a browser, WebAssembly or ONNX Runtime says when an allocation fails. */
export function saysOutOfMemory(message: string): boolean {
  return /bad_alloc|out of memory|memory allocation|allocation failed|array buffer allocation|failed to allocate/i.test(
    message,
  );
}
