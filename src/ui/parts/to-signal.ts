// The binding between the chat's observables and Preact's signals: the whole of what ties the state to a framework.
import { signal, type ReadonlySignal } from "@preact/signals";
import type { Observable } from "#chat/observable.ts";

/** A signal that follows an observable for the life of the page. */
export function toSignal<T>(source: Observable<T>): ReadonlySignal<T> {
  const mirror = signal(source.get());
  source.subscribe((value) => {
    mirror.value = value;
  });
  return mirror;
}
