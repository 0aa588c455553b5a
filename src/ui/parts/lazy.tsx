// Parts of the page that are fetched when they are first needed: the first screen does without them.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useTexts } from "#ui/texts/texts.ts";

/** A component that renders nothing until `load` resolves, and a sentence if it rejects. */
export function lazy<Props extends object>(
  load: () => Promise<(props: Props) => JSX.Element | null>,
): (props: Props) => JSX.Element | null {
  let loaded: ((props: Props) => JSX.Element | null) | undefined;
  return function Lazy(props: Props) {
    const t = useTexts();
    const [state, setState] = useState<"loading" | "loaded" | "failed">(loaded === undefined ? "loading" : "loaded");
    useEffect(() => {
      if (loaded !== undefined) return;
      load().then(
        (component) => {
          loaded = component;
          setState("loaded");
        },
        () => setState("failed"),
      );
    }, []);
    if (state === "failed")
      return (
        <p class="dock-note" role="alert">
          {t.partFailed}
        </p>
      );
    const Component = loaded;
    return Component === undefined ? null : <Component {...props} />;
  };
}
