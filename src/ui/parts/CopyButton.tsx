// A button that copies a text, and says for two seconds what came of it.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useTexts } from "#ui/texts/texts.ts";
import { IconButton } from "./IconButton.tsx";
import { CheckIcon, CopyIcon, WarnIcon } from "./icons.tsx";

interface CopyButtonProps {
  readonly text: string;
  /** What the button is called before it is clicked. */
  readonly label: string;
}

export function CopyButton({ text, label }: CopyButtonProps): JSX.Element {
  const t = useTexts();
  const [state, setState] = useState<"idle" | "copied" | "failed">("idle");
  useEffect(() => {
    if (state === "idle") return undefined;
    const timer = setTimeout(() => setState("idle"), 2000);
    return () => clearTimeout(timer);
  }, [state]);
  return (
    <IconButton
      label={{ idle: label, copied: t.copied, failed: t.copyFailed }[state]}
      small
      onClick={() => void copy(text).then(setState)}
    >
      {state === "copied" ? <CheckIcon /> : state === "failed" ? <WarnIcon /> : <CopyIcon />}
    </IconButton>
  );
}

/** Pages over plain HTTP have no clipboard at all; others may be refused it. */
async function copy(text: string): Promise<"copied" | "failed"> {
  try {
    await navigator.clipboard.writeText(text);
    return "copied";
  } catch {
    return "failed";
  }
}
