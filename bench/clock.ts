// Times a system that tells its tokens as they come.
import { perToken, type GpuCounts } from "./gpu-meter.ts";
import type { Timed } from "./measure.ts";

/** Tokens as they come. */
export class Clock {
  readonly #meter: (() => GpuCounts) | undefined;
  readonly #began = performance.now();
  #counts: GpuCounts | undefined;
  #first = 0;
  #last = 0;
  #tokens = 0;
  constructor(meter?: () => GpuCounts) {
    this.#meter = meter;
  }
  tick(): void {
    this.#last = performance.now();
    if (this.#tokens++ > 0) return;
    this.#first = this.#last;
    this.#counts = this.#meter?.();
  }
  told(text: string): Timed {
    return {
      text,
      tokens: this.#tokens,
      firstTokenMs: this.#first - this.#began,
      decodeRate: this.#tokens < 2 ? NaN : ((this.#tokens - 1) / (this.#last - this.#first)) * 1000,
      perToken: this.#counts && this.#meter && perToken(this.#counts, this.#meter(), this.#tokens),
    };
  }
}
