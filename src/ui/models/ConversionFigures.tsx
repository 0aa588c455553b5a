// How far a checkpoint is that is converted while it is downloaded: one bar of three lengths, and the figures to it.
//   data-testid="conversion" with data-stage
import type { JSX } from "preact";
import type { ConversionProgress } from "#chat/downloads/wanted.ts";
import { formatSize } from "#ui/parts/format.ts";
import { useTexts } from "#ui/texts/texts.ts";

interface ConversionFiguresProps {
  /** What the bar is called. */
  readonly label: string;
  readonly progress: ConversionProgress;
}

/** Downloaded, converted and stored, each as a share of its own whole. */
export function ConversionFigures({ label, progress }: ConversionFiguresProps): JSX.Element {
  const t = useTexts();
  const { stage, fetched, toFetch, converted, kept, toKeep } = progress;
  const share = (part: number, whole: number): number => (whole > 0 ? Math.min(100, (100 * part) / whole) : 0);
  const figures = t.zoo.progress(formatSize(t, fetched), formatSize(t, converted), formatSize(t, kept));
  return (
    <div class="conversion" data-testid="conversion" data-stage={stage}>
      <div
        class="conversion-bar"
        role="progressbar"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(share(fetched, toFetch))}
        aria-valuetext={figures}
      >
        {/* An SVG, because the page's policy allows no style attributes in its markup. */}
        <svg viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">
          <rect class="conversion-fetched" width={share(fetched, toFetch)} height="1" />
          <rect class="conversion-converted" width={share(converted, toKeep)} height="1" />
          <rect class="conversion-kept" width={share(kept, toKeep)} height="1" />
        </svg>
      </div>
      <p class="dialog-note">{stage === "converting" ? figures : t.zoo.stages[stage]}</p>
    </div>
  );
}
