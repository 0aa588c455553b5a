// The downloads of models, which go on while the user chats: for each a bar with bytes, speed and time left, and its buttons.
//   data-testid="download" with data-phase
import type { JSX } from "preact";
import type { Download } from "#chat/downloads/wanted.ts";
import { silencesToTell } from "#chat/models/load-progress.ts";
import { formatNumber, formatSize } from "#ui/parts/format.ts";
import { useTexts, type Texts } from "#ui/texts/texts.ts";
import { ConversionFigures } from "./ConversionFigures.tsx";
import { GatedNote } from "#ui/models/offer/GatedNote.tsx";
import type { DownloadsFeature } from "./model-features.ts";

interface DownloadNotesProps {
  readonly downloads: DownloadsFeature;
  readonly onUse: (id: string) => void;
  /** Loads it without storing it. */
  readonly onFromMemory: (download: Download) => void;
  /** Opens the list of stored models, to delete some; absent in that list. */
  readonly onMakeRoom?: (() => void) | undefined;
}

/** Renders nothing while no model is being downloaded. */
export function DownloadNotes(props: DownloadNotesProps): JSX.Element {
  return (
    <>
      {props.downloads.state.value.map((download) => (
        <DownloadNote key={download.id} {...props} download={download} />
      ))}
    </>
  );
}

function DownloadNote(props: DownloadNotesProps & { readonly download: Download }): JSX.Element {
  const { download, downloads } = props;
  const { id, name, phase, loaded, total, conversion, checkpoint, gated, code } = download;
  const t = useTexts();
  const words = t.storage.downloads;
  const title = titleOf(t, download);
  const isUnderWay = phase === "running" || phase === "paused";
  return (
    <div class="download" data-testid="download" data-phase={phase}>
      <p class="banner-text">
        <span role={phase === "running" ? undefined : "status"}>{title}</span>
        {isUnderWay && <span class="banner-figure">{figures(t, download)}</span>}
      </p>
      {isUnderWay && conversion !== undefined && <ConversionFigures label={title} progress={conversion} />}
      {isUnderWay && conversion === undefined && (
        <progress aria-label={title} {...(total > 0 ? { value: loaded, max: total } : { value: 0 })} />
      )}
      {phase === "running" && stands(download) && (
        <p class="dialog-note" role="status" data-testid="download-silent">
          {t.weights.silent}
        </p>
      )}
      {phase === "failed" && (
        <p class="dialog-note">
          {download.message === undefined ? t.errors[code ?? "internal"] : t.zoo.converterSays(download.message)}
        </p>
      )}
      {phase === "no-room" && (
        <p class="dialog-note">{words.noRoom(formatSize(t, conversion?.toKeep || download.total || download.bytes))}</p>
      )}
      {phase === "gated" && gated !== undefined && checkpoint?.place.kind === "hub" && (
        <GatedNote
          {...gated}
          host={new URL(checkpoint.place.hub).host}
          onToken={(token) => {
            if (checkpoint.place.kind === "hub") downloads.setToken(checkpoint.place.hub, token);
            downloads.actions.resume(id);
          }}
        />
      )}
      {phase !== "starting" && <DownloadButtons {...props} name={name} />}
    </div>
  );
}

function DownloadButtons(
  props: DownloadNotesProps & { readonly download: Download; readonly name: string },
): JSX.Element {
  const { download, name, onUse, onFromMemory, onMakeRoom } = props;
  const { actions } = props.downloads;
  const { id, phase, checkpoint } = download;
  const t = useTexts();
  const words = t.storage.downloads;
  const button = (label: string, onClick: () => void, about: string): JSX.Element => (
    <button type="button" class="button" aria-label={about} onClick={onClick}>
      {label}
    </button>
  );
  const cancel = button(words.cancel, () => void actions.cancel(id), words.cancelModel(name));
  return (
    <p class="download-actions">
      {phase === "running" &&
        stands(download) &&
        button(t.weights.askAgain, () => askAgain(actions, id), t.weights.askAgain)}
      {phase === "running" && button(words.pause, () => actions.pause(id), words.pauseModel(name))}
      {phase === "paused" && button(words.resume, () => actions.resume(id), words.resumeModel(name))}
      {phase === "no-room" && onMakeRoom && button(words.makeRoom, onMakeRoom, words.makeRoom)}
      {phase === "no-room" &&
        checkpoint === undefined &&
        button(words.fromMemory, () => onFromMemory(download), words.fromMemory)}
      {(phase === "failed" || phase === "no-room") && button(t.tryAgain, () => actions.resume(id), t.tryAgain)}
      {phase === "done" && button(t.storage.use, () => onUse(id), words.useModel(name))}
      {phase === "done" ? button(t.close, () => actions.dismiss(id), t.close) : cancel}
    </p>
  );
}

function titleOf(t: Texts, { name, phase, checkpoint }: Download): string {
  if (phase === "gated") return t.zoo.gated.waiting(name);
  if (checkpoint !== undefined && phase === "running") return t.zoo.converting(name);
  if (checkpoint !== undefined && phase === "failed") return t.zoo.convertFailed(name);
  return t.storage.downloads.phases[phase](name);
}

/** Whether the download has received no bytes for so long that the user should know. */
function stands({ silences = 0 }: Download): boolean {
  return silences >= silencesToTell;
}

function askAgain(actions: DownloadsFeature["actions"], id: string): void {
  actions.pause(id);
  actions.resume(id);
}

/** "4.1 MB of 9.8 MB · 1.2 MB/s · 5 s left"; unknown parts are left out. */
function figures(t: Texts, { loaded, total, bytes, bytesPerSecond, conversion }: Download): string {
  const all = total === 0 ? bytes : total;
  if (all === 0) return "";
  // Until the stored files have been checked, "0 of …" would be a guess.
  if (total === 0) return formatSize(t, all);
  const facts = [t.storage.part(formatSize(t, loaded), formatSize(t, all))];
  if (bytesPerSecond !== undefined && bytesPerSecond > 0) {
    facts.push(t.storage.downloads.rate(formatSize(t, bytesPerSecond)));
    facts.push(formatLeft(t, conversion?.secondsLeft ?? (all - loaded) / bytesPerSecond));
  }
  return facts.join(" · ");
}

function formatLeft(t: Texts, seconds: number): string {
  const words = t.storage.downloads;
  if (seconds < 60) return words.secondsLeft(formatNumber(t, Math.max(1, Math.ceil(seconds))));
  if (seconds < 3600) return words.minutesLeft(formatNumber(t, Math.ceil(seconds / 60)));
  return words.hoursLeft(formatNumber(t, seconds / 3600, 1));
}
