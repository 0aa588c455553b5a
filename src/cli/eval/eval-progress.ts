// Progress of an evaluation: questions, pace and time left, on one line of a terminal, or a line now and then where output goes elsewhere.
import type { RunProgress } from "#eval/run/run.ts";
import { timeText, type Output } from "#cli/terminal/progress.ts";

const redrawMs = 200;
const plainLineMs = 10_000;

/** `update` may be called after every question; `end` leaves the cursor on a fresh line. */
export function createQuestionProgress(
  stream: Output,
  now: () => number = () => performance.now(),
): { readonly update: (progress: RunProgress) => void; readonly end: () => void } {
  const started = now();
  const isTerminal = stream.isTTY === true;
  let shownAt = isTerminal ? -Infinity : started;
  let drawn = false;
  return {
    update({ done, total, before, notAnswered }) {
      const at = now();
      if (at - shownAt < (isTerminal ? redrawMs : plainLineMs) && done < total) return;
      shownAt = at;
      const seconds = Math.max(0.001, (at - started) / 1000);
      // Answers of earlier runs say nothing about the pace.
      const pace = (done - before) / seconds;
      const left = timeText((total - done) / Math.max(pace, 1e-9));
      const failed = notAnswered === 0 ? "" : `, ${notAnswered} could not be asked`;
      const numbers = `${done.toLocaleString("en")} of ${total.toLocaleString("en")} questions`;
      const text = `${numbers}, ${pace < 10 ? pace.toFixed(1) : pace.toFixed(0)}/s, ${left} left${failed}`;
      stream.write(isTerminal ? `\r\u001b[K${text}` : `${text}\n`);
      drawn = true;
    },
    end() {
      if (drawn && isTerminal) stream.write("\n");
    },
  };
}
