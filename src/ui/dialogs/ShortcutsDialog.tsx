// The help sheet: which keys do what. The keys themselves are heard in use-shortcuts.ts and where they act.
import type { JSX } from "preact";
import { Dialog } from "#ui/parts/Dialog.tsx";
import { useTexts } from "#ui/texts/texts.ts";

/** Names the command key as this system's keyboards do. */
export function ShortcutsDialog({ onClose }: { readonly onClose: () => void }): JSX.Element {
  const t = useTexts();
  const command = /Mac|iPhone|iPad/.test(navigator.userAgent) ? "⌘" : "Ctrl";
  const rows: readonly (readonly [string, readonly (readonly string[])[]])[] = [
    [t.shortcuts.send, [["Enter"]]],
    [t.shortcuts.newLine, [["Shift", "Enter"]]],
    [t.shortcuts.stop, [["Esc"]]],
    [t.shortcuts.focus, [["/"], ["Shift", "Esc"]]],
    [t.shortcuts.editLast, [["↑"]]],
    [t.shortcuts.newChat, [[command, "Shift", "O"]]],
    [t.shortcuts.search, [[command, "K"]]],
    [t.shortcuts.zoom, [["+"], ["−"], ["0"]]],
    [t.shortcuts.move, [["←"], ["→"], ["↑"], ["↓"]]],
    [t.shortcuts.page, [["?"], [command, "/"]]],
  ];
  return (
    <Dialog title={t.shortcuts.title} onClose={onClose}>
      <dl class="shortcuts">
        {rows.map(([label, ways]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>
              {ways.map((keys, index) => (
                <span key={keys.join()}>
                  {index > 0 && <span class="shortcut-or"> {t.shortcuts.or} </span>}
                  {keys.map((key) => (
                    <kbd key={key}>{key}</kbd>
                  ))}
                </span>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
