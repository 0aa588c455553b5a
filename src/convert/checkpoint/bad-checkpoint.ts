// The error for a checkpoint that cannot be converted. The message names the file and says what to do about it.
import { EngineError } from "#engine/errors.ts";

/** EngineError("bad-checkpoint"), to be thrown. */
export function badCheckpoint(message: string, options?: ErrorOptions): EngineError {
  return new EngineError("bad-checkpoint", message, options);
}
