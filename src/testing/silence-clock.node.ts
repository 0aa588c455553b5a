// For tests: a clock of silences that knows no time. The idle timeout of a connection has passed once the server that it reached has fallen
// silent and nothing is on its way any more, however slow the machine. Client and server run in this process.
import type { Clock } from "#weights/download/watched-fetch.ts";

/** Turns of the event loop within which everything that was sent has arrived: one hands over all that the sockets hold. */
const turnsOnTheWay = 100;

interface SilenceClock extends Clock {
  /** The server calls it where it stops sending; one of the connections that are waited for ends with a silence then. */
  hang(): void;
}

export function createSilenceClock(): SilenceClock {
  const waiting = new Set<{ readonly end: () => void }>();
  let [hanging, quietTurns, isCounting] = [0, 0, false];
  const turn = (): void => {
    // A reader waits for an answer that will come.
    if (waiting.size === 0 || hanging < waiting.size) isCounting = false;
    else if (++quietTurns < turnsOnTheWay) setImmediate(turn);
    else {
      isCounting = false;
      hanging -= waiting.size;
      const silent = [...waiting];
      waiting.clear();
      for (const { end } of silent) end();
    }
  };
  const begin = (): void => {
    quietTurns = 0;
    if (isCounting) return;
    isCounting = true;
    setImmediate(turn);
  };
  return {
    after(_, end) {
      const one = { end };
      waiting.add(one);
      begin();
      return () => {
        if (waiting.delete(one)) begin();
      };
    },
    hang() {
      hanging++;
      begin();
    },
  };
}
