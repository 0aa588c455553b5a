// How the losses fall: two lines in an SVG, and the same in words.
import type { JSX } from "preact";
import type { LossPoint } from "#chat/teach/lesson.ts";
import { formatNumber } from "#ui/parts/format.ts";
import { useTexts } from "#ui/texts/texts.ts";
import { useTeachTexts } from "./teach-texts.ts";

/** In the units of the drawing. */
const [width, height, edge] = [320, 96, 4];

type Point = readonly [step: number, loss: number];

/** Nothing before the second step. */
export function LossCurve({ curve }: { readonly curve: readonly LossPoint[] }): JSX.Element | null {
  const t = useTeachTexts();
  const page = useTexts();
  const learned = curve.map(({ step, loss }): Point => [step, loss]);
  // It is measured now and then, and told with every step.
  const heldOut = curve.flatMap(({ step, heldOut: loss }, index): Point[] =>
    loss === undefined || (loss === curve[index - 1]?.heldOut && index < curve.length - 1) ? [] : [[step, loss]],
  );
  const [first, last] = [learned[0], learned.at(-1)];
  if (first === undefined || last === undefined || first === last) return null;
  const most = Math.max(...learned.map(([, loss]) => loss), ...heldOut.map(([, loss]) => loss), 1e-6);
  const place = ([step, loss]: Point): string => {
    const x = edge + ((step - first[0]) / Math.max(1, last[0] - first[0])) * (width - 2 * edge);
    const y = height - edge - (Math.max(0, loss) / most) * (height - 2 * edge);
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  };
  const say = (loss: number | undefined): string => formatNumber(page, loss ?? 0, 2);
  const words = [
    t.curveText(say(first[1]), say(last[1]), last[0]),
    ...(heldOut.length > 1 ? [t.curveHeldOut(say(heldOut[0]?.[1]), say(heldOut.at(-1)?.[1]))] : []),
  ].join(" ");
  return (
    <figure class="loss-curve">
      <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label={words} preserveAspectRatio="none">
        <path class="loss-base" d={`M${edge} ${height - edge}H${width - edge}`} />
        <polyline class="loss-learned" points={learned.map(place).join(" ")} />
        {heldOut.length > 1 && <polyline class="loss-held-out" points={heldOut.map(place).join(" ")} />}
      </svg>
      <figcaption>
        <span>{t.curveTitle}</span>
        <span class="loss-key loss-key-learned">{t.curveLegend.loss}</span>
        {heldOut.length > 1 && <span class="loss-key loss-key-held-out">{t.curveLegend.heldOut}</span>}
      </figcaption>
    </figure>
  );
}
