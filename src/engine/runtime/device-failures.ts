// Failures of a device, as seen by the calls that use it. Knows no graphs and no tensors.
import { EngineError, saysOutOfMemory } from "#engine/errors.ts";

export interface FailingDevice {
  /** The device's failure, once it can't be used any more; every call fails with it from then on. */
  readonly failure: () => EngineError | undefined;
  /** Calls `reject` when the device fails, until the returned function is called. */
  readonly watch: (reject: (error: EngineError) => void) => () => void;
}

export interface DeviceFailures {
  /** Settles like `work`, or rejects with the device's failure where that comes first. */
  readonly guard: <T>(work: Promise<T>) => Promise<T>;
  /** The error to throw for one thrown by a call; `doing` says what the call was for. */
  readonly toEngineError: (error: unknown, doing: string) => Promise<EngineError>;
}

/** `losesLate`: whether, as with a GPU, a call may fail some time before the loss of the device is reported. */
export function createDeviceFailures(device: FailingDevice, losesLate: boolean): DeviceFailures {
  /** A lost device shows first as some failed call. It is reported lost only once it has finished its work, much later on a slow one. */
  const soonLost = (): Promise<EngineError | undefined> =>
    new Promise((resolve) => {
      const unwatch = device.watch(resolve);
      setTimeout(() => {
        unwatch();
        resolve(undefined);
      }, 3000);
    });
  const toEngineError = async (error: unknown, doing: string): Promise<EngineError> => {
    if (error instanceof EngineError) return error;
    const failure = device.failure() ?? (losesLate ? await soonLost() : undefined);
    if (failure) return failure;
    const message = error instanceof Error ? error.message : String(error);
    return new EngineError(saysOutOfMemory(message) ? "out-of-memory" : "internal", `${doing}: ${message}`, {
      cause: error,
    });
  };

  /** A call to a lost device may stay pending for ever, so the loss itself rejects it. */
  const guard = <T>(work: Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      const failure = device.failure();
      if (failure) reject(failure);
      const unwatch = device.watch(reject);
      work.then(resolve, reject).finally(unwatch);
    });

  return { guard, toEngineError };
}
