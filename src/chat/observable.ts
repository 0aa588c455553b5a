// A value that can be watched. Knows no framework; ui/ binds it to signals.

/** A value others may read and watch. */
export interface Observable<T> {
  get(): T;
  /** Calls back after every change, synchronously; the returned function ends it. */
  subscribe(listener: (value: T) => void): () => void;
}

/** An observable its owner may change. */
export interface Cell<T> extends Observable<T> {
  set(value: T): void;
  update(change: (value: T) => T): void;
}

/** Makes a cell; setting the value that it already holds calls no listener. */
export function createCell<T>(initial: T): Cell<T> {
  let value = initial;
  const listeners = new Set<(value: T) => void>();
  const set = (next: T): void => {
    if (Object.is(next, value)) return;
    value = next;
    for (const listener of [...listeners]) listener(next);
  };
  return {
    get: () => value,
    set,
    update: (change) => set(change(value)),
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
