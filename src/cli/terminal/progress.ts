// Progress on a terminal: one line that rewrites itself, or a plain line every few seconds where output is not a terminal.

/** How far a long task has come, in bytes. */
export interface Progress {
  readonly file: string;
  readonly written: number;
  readonly total: number;
}

/** What progress is written to; a terminal draws lines over. */
export interface Output {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

const redrawMs = 100;
const plainLineMs = 5000;

/** `update` may be called as often as one likes; `end` leaves the cursor on a fresh line. */
export function createProgress(stream: Output): {
  readonly update: (progress: Progress) => void;
  readonly end: () => void;
} {
  const started = performance.now();
  const everyMs = stream.isTTY === true ? redrawMs : plainLineMs;
  let shownAt = stream.isTTY === true ? -Infinity : started;
  let drawn = false;
  return {
    update({ file, written, total }) {
      const now = performance.now();
      if (now - shownAt < everyMs && written < total) return;
      shownAt = now;
      const megabytes = (bytes: number) => (bytes / 1e6).toFixed(0);
      const seconds = Math.max(0.001, (now - started) / 1000);
      const rate = (written / 1e6 / seconds).toFixed(0);
      const left = timeText((seconds / Math.max(1, written)) * (total - written));
      const text = `${megabytes(written)} of ${megabytes(total)} MB, ${rate} MB/s, ${left} left  ${file}`;
      stream.write(stream.isTTY === true ? `\r\u001b[K${bar(written / total)} ${text}` : `${text}\n`);
      drawn = true;
    },
    end() {
      if (drawn && stream.isTTY === true) stream.write("\n");
    },
  };
}

const barWidth = 24;

function bar(share: number): string {
  const full = Math.round(barWidth * Math.min(1, share || 0));
  return `${"█".repeat(full)}${"░".repeat(barWidth - full)} ${String(Math.floor(100 * (share || 0))).padStart(3)} %`;
}

/** "40 s", "3 min 20 s", "2 h 5 min". */
export function timeText(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
