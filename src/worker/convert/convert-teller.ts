// Tells the page of a conversion: at most so many times a second, with its pace, and in order. Knows no conversion.
import type { ConversionEvent } from "./convert-api.ts";
import { createPace } from "./convert-pace.ts";

const eventEveryMs = 250;

interface ConversionTeller {
  /** Tells what is new, at once or when an event is due. */
  update(news: Partial<ConversionEvent>, now: boolean): void;
  /** Tells at once how often the place has fallen silent. */
  silent(times: number): void;
  /** Resolves once everything is told, so that no event arrives after the call's own reply. */
  end(): Promise<void>;
}

export function createTeller(onEvent: (event: ConversionEvent) => Promise<void> | void): ConversionTeller {
  const pace = createPace();
  let event: ConversionEvent = {
    type: "convert",
    stage: "opening",
    fetched: 0,
    toFetch: 0,
    converted: 0,
    kept: 0,
    toKeep: 0,
    bytesPerSecond: undefined,
    secondsLeft: undefined,
  };
  let silences = 0;
  let lastAt = -Infinity;
  let telling = Promise.resolve();
  let later: ReturnType<typeof setTimeout> | undefined;
  const tell = (now: boolean): void => {
    const early = lastAt + eventEveryMs - performance.now();
    if (!now && early > 0) {
      // What comes just before a pause of the network is told, too.
      later ??= setTimeout(() => tell(true), early);
      return;
    }
    clearTimeout(later);
    later = undefined;
    lastAt = performance.now();
    const told = { ...event, ...pace.of(event), ...(silences > 0 ? { silences } : {}) };
    telling = telling.then(async () => await onEvent(told)).catch(() => undefined);
  };
  return {
    update(news, now) {
      if ((news.fetched ?? 0) > event.fetched) silences = 0;
      event = { ...event, ...news };
      tell(now);
    },
    silent(times) {
      silences = times;
      tell(true);
    },
    async end() {
      clearTimeout(later);
      await telling;
    },
  };
}
