// A round button that leads to the end of the conversation; there only while the end is out of view.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { DownIcon } from "#ui/parts/icons.tsx";
import { useTexts } from "#ui/texts/texts.ts";
import { focusQuestion } from "#ui/parts/use-modal.ts";

/** Nearer than this counts as at the end, in CSS pixels. */
const nearPixels = 160;

export function JumpToEnd(): JSX.Element | null {
  const t = useTexts();
  const [away, setAway] = useState(false);
  useEffect(() => {
    const page = document.documentElement;
    const look = (): void => setAway(page.scrollHeight - page.scrollTop - page.clientHeight > nearPixels);
    const grown = new ResizeObserver(look);
    grown.observe(document.body);
    addEventListener("scroll", look, { passive: true });
    look();
    return () => {
      grown.disconnect();
      removeEventListener("scroll", look);
    };
  }, []);
  if (!away) return null;
  return (
    <p class="jump">
      <button
        type="button"
        class="jump-button"
        aria-label={t.chat.toEnd}
        title={t.chat.toEnd}
        onClick={() => {
          const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
          scrollTo({ top: document.documentElement.scrollHeight, behavior: calm ? "instant" : "smooth" });
          focusQuestion();
        }}
      >
        <DownIcon />
      </button>
    </p>
  );
}
