// What a copy button says of its last click, until it is forgotten after two seconds.
import { useEffect, useState } from "preact/hooks";

export type CopyState = "idle" | "copied" | "failed";

export function useCopyState(): readonly [CopyState, (state: CopyState) => void] {
  const [state, setState] = useState<CopyState>("idle");
  useEffect(() => {
    if (state === "idle") return undefined;
    const timer = setTimeout(() => setState("idle"), 2000);
    return () => clearTimeout(timer);
  }, [state]);
  return [state, setState];
}
