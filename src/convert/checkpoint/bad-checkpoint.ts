// The error for a checkpoint that cannot be converted. The message names the file and says what to do about it.
import { EngineError } from "#engine/errors.ts";

/** The error for a file that is not the same from its beginning to its end. */
export function changedWhileRead(name: string): EngineError {
  return new EngineError(
    "integrity",
    `${name} changed while it was read, so nothing of it is kept; convert it again when it is whole`,
  );
}

/** EngineError("bad-checkpoint"), to be thrown. */
export function badCheckpoint(message: string, options?: ErrorOptions): EngineError {
  return new EngineError("bad-checkpoint", message, options);
}
