// Conversations out as a file and back in: which, in which form, and what was wrong with the files that were given.
//   data-testid="export-outcome", "import-outcome": what came of it · data-testid="import-problem": one sentence each
//   data-testid="import-input": the file picker
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { ExportFormat } from "#chat/transfer/export.ts";
import type { ExportOutcome, ExportScope, ImportOutcome, Transfer } from "#chat/transfer/export-transfer.web.ts";
import type { ImportProblem } from "#chat/transfer/import-problems.ts";
import { Dialog, Section } from "#ui/parts/Dialog.tsx";
import { Note } from "#ui/notes/Note.tsx";
import { Choice } from "#ui/parts/Fields.tsx";
import { useTexts, type Texts } from "#ui/texts/texts.ts";

interface ExportDialogProps {
  readonly transfer: Transfer;
  /** Whether something was said in the conversation that is shown. */
  readonly hasThis: boolean;
  readonly busy: boolean;
  /** Dropped on the page: imported at once. */
  readonly files: readonly File[];
  readonly onClose: () => void;
}

type ImportState = "idle" | "failed" | ImportOutcome | { readonly working: number; readonly stop: () => void };

/** How many sentences about unusable files are shown; a line says how many more there are. */
const shownProblems = 8;

export function ExportDialog({ transfer, hasThis, busy, files, onClose }: ExportDialogProps): JSX.Element {
  const t = useTexts();
  const [scope, setScope] = useState<ExportScope>(hasThis ? "this" : "all");
  const [format, setFormat] = useState<ExportFormat>("markdown");
  const [outcome, setOutcome] = useState<ExportOutcome | "idle" | "working">("idle");
  return (
    <Dialog title={t.transfer.title} onClose={onClose}>
      <Choice
        label={t.transfer.what}
        value={scope}
        options={[
          ["this", t.transfer.scopes.this],
          ["all", t.transfer.scopes.all],
        ]}
        onChange={setScope}
      />
      <Choice
        label={t.transfer.format}
        value={format}
        options={[
          ["markdown", t.transfer.formats.markdown],
          ["llava", t.transfer.formats.llava],
          ["backup", t.transfer.formats.backup],
          ["votes", t.transfer.formats.votes],
        ]}
        onChange={setFormat}
      />
      <p class="dialog-note">
        {t.transfer.formatHints[format]}
        {format === "votes" && (
          <>
            {" "}
            <a href="review/" target="_blank" rel="noopener">
              {t.transfer.reviewLink}
            </a>
          </>
        )}
      </p>
      <p class="dialog-actions">
        <button
          type="button"
          class="button"
          disabled={outcome === "working"}
          onClick={() => {
            setOutcome("working");
            void transfer.exportAs(format, scope, { user: t.you, assistant: t.assistant }).then(setOutcome);
          }}
        >
          {t.transfer.exportButton}
        </button>
      </p>
      {outcome !== "idle" && outcome !== "working" && (
        <Note
          testId="export-outcome"
          state={{ tone: outcome === "done" ? "good" : "bad", text: t.transfer.exportOutcomes[outcome] }}
        />
      )}
      <ImportSection transfer={transfer} busy={busy} files={files} />
    </Dialog>
  );
}

/** Imports the files that are picked here, and at once those that were dropped on the page. */
function ImportSection({ transfer, busy, files }: Pick<ExportDialogProps, "transfer" | "busy" | "files">): JSX.Element {
  const t = useTexts();
  const [imported, setImported] = useState<ImportState>("idle");
  const input = useRef<HTMLInputElement>(null);
  const importFrom = (given: readonly File[]): void => {
    if (given.length === 0 || busy) return;
    const canceller = new AbortController();
    const showProgress = (working: number): void => setImported({ working, stop: () => canceller.abort() });
    showProgress(0);
    transfer
      .importFrom(given, { signal: canceller.signal, onOpened: showProgress })
      .then(setImported, (error: unknown) => {
        console.warn("The import failed:", error);
        setImported("failed");
      });
  };
  useEffect(() => importFrom(files), [files]);
  return (
    <Section title={t.transfer.importTitle}>
      <p class="dialog-note">{busy ? t.transfer.importBusy : t.transfer.importHint}</p>
      <p class="dialog-actions">
        <button
          type="button"
          class="button"
          disabled={busy || isWorking(imported)}
          onClick={() => input.current?.click()}
        >
          {t.transfer.importButton}
        </button>
        <input
          ref={input}
          type="file"
          multiple
          hidden
          accept=".json,.jsonl,.zip,image/*"
          data-testid="import-input"
          onChange={(event) => {
            importFrom([...(event.currentTarget.files ?? [])]);
            event.currentTarget.value = "";
          }}
        />
      </p>
      <div role="status" class="import-outcome">
        <Outcome state={imported} />
      </div>
    </Section>
  );
}

function Outcome({ state }: { readonly state: ImportState }): JSX.Element | null {
  const t = useTexts();
  if (state === "idle") return null;
  if (state === "failed")
    return <Note testId="import-outcome" state={{ tone: "bad", text: t.transfer.importFailed }} />;
  if ("working" in state)
    return (
      <p class="dialog-actions">
        <span class="dialog-note">{t.transfer.importing(state.working)}</span>
        <button type="button" class="button" onClick={state.stop}>
          {t.transfer.stopImport}
        </button>
      </p>
    );
  const sentences = [...new Set(state.problems.map((problem) => sentenceFor(t, problem)))];
  const more = sentences.length - shownProblems;
  return (
    <>
      <p class="dialog-note" data-testid="import-outcome">
        {t.transfer.opened(state.opened)} {state.stopped ? t.transfer.stopped : ""}{" "}
        {state.kept ? "" : t.transfer.notKept}{" "}
        {state.unsavedPictures === 0 ? "" : t.transfer.picturesNotKept(state.unsavedPictures)}
      </p>
      <ul class="dialog-points">
        {sentences.slice(0, shownProblems).map((sentence) => (
          <li key={sentence} data-testid="import-problem">
            {sentence}
          </li>
        ))}
        {more > 0 && <li>{t.transfer.morePoints(more)}</li>}
      </ul>
    </>
  );
}

const isWorking = (state: ImportState): boolean => typeof state === "object" && "working" in state;

function sentenceFor(t: Texts, problem: ImportProblem): string {
  const sentence = sentenceForOne(t, problem);
  return problem.more === undefined ? sentence : `${sentence} ${t.transfer.likeThis(problem.more)}`;
}

function sentenceForOne(t: Texts, problem: ImportProblem): string {
  const { fileProblems, itemProblems, itemLosses, pictureTroubles, itemLeftOut, itemLost } = t.transfer;
  if (problem.kind === "loss") return itemLost(problem.item, problem.file, itemLosses[problem.problem](problem.count));
  if (problem.kind === "file") return fileProblems[problem.problem](problem.file);
  if (problem.kind === "picture") return pictureTroubles[problem.problem](problem.picture);
  return itemLeftOut(problem.item, problem.file, itemProblems[problem.problem]);
}
