// The state of the selected model: a chip in the header with the device and further details, and the progress while the model loads.
import type { JSX } from "preact";
import { silencesToTell } from "#chat/models/load-progress.ts";
import type { ModelState } from "#chat/store/chat-state.ts";
import { Disclosure } from "#ui/parts/Disclosure.tsx";
import { FailureWords } from "#ui/notes/FailureWords.tsx";
import { formatDuration, formatNumber, formatProgress } from "#ui/parts/format.ts";
import { WarnIcon } from "#ui/parts/icons.tsx";
import { useTexts, type Texts } from "#ui/texts/texts.ts";

interface ModelStatusProps {
  readonly name: string;
  readonly state: ModelState;
  readonly offline: boolean;
}

/** "WebGPU · NVIDIA Ampere", "WASM · 4 threads". */
function describeDevice(t: Texts, state: ModelState): { readonly device: string; readonly detail: string } {
  if (state.phase === "loading") {
    const { loaded, total } = state.progress;
    const share = total > 0 ? `${formatNumber(t, Math.floor((loaded / total) * 100))} %` : "";
    return { device: t.loading, detail: loaded < total ? share : "" };
  }
  if (state.phase === "failed") return { device: t.failed, detail: "" };
  const { device, adapter, threads, host } = state.model;
  if (host !== undefined) return { device: t.deviceNames[device], detail: host };
  return { device: t.deviceNames[device], detail: device === "webgpu" ? adapter : t.threads(threads) };
}

/** The chip; `data-state` is loading, ready or failed. Notices are facts and not warnings, so they are in the panel. */
export function ModelStatus({ name, state, offline }: ModelStatusProps): JSX.Element {
  const t = useTexts();
  const { device, detail } = describeDevice(t, state);
  return (
    <Disclosure
      class="model-status"
      attributes={{ "data-testid": "model-status", "data-state": state.phase }}
      panelLabel={t.modelStatus}
      button={
        <span class="chip">
          <span class="chip-dot" />
          <span class="visually-hidden">
            {t.modelStatus}: {name},{" "}
          </span>
          <span class="chip-device">{device}</span>
          {detail !== "" && <span class="chip-detail">{detail}</span>}
        </span>
      }
    >
      <p class="panel-title">{name}</p>
      {state.phase === "ready" && (
        <>
          <dl class="facts">
            <dt>{t.runsOn}</dt>
            <dd>{detail === "" ? device : `${device} · ${detail}`}</dd>
            <dt>{t.loadTime}</dt>
            <dd>{formatDuration(t, state.model.loadMs)}</dd>
            {Number.isFinite(state.model.contextLength) && (
              <>
                <dt>{t.context}</dt>
                <dd>{t.tokens(formatNumber(t, state.model.contextLength))}</dd>
              </>
            )}
            {state.model.imageTokens > 0 && (
              <>
                <dt>{t.perPicture}</dt>
                <dd>{t.tokens(formatNumber(t, state.model.imageTokens))}</dd>
              </>
            )}
          </dl>
          {state.model.host !== undefined && <p class="panel-note">{t.remote.leaves(state.model.host)}</p>}
          {state.model.notices.map((notice) => (
            <p class="panel-note" key={notice}>
              {t.notices[notice]}
            </p>
          ))}
        </>
      )}
      {state.phase === "failed" && <p class="panel-note">{describeFailure(t, name, state)}</p>}
      {state.phase === "loading" && <p class="panel-note">{describeLoad(t, state)}</p>}
      {offline && <p class="panel-note">{t.offlineReadyHint}</p>}
    </Disclosure>
  );
}

function describeLoad(t: Texts, state: ModelState & { phase: "loading" }): string {
  const { part, loaded, total } = state.progress;
  if (part !== undefined) return t.startingPart[part];
  return total === 0 ? t.checkingStored : formatProgress(t, loaded, total);
}

function describeFailure(t: Texts, name: string, { ended, failure }: ModelState & { phase: "failed" }): string {
  if (ended === "stopped") return t.weights.stopped(name);
  return ended === "made-room" ? t.weights.madeRoom(name) : t.errors[failure.code];
}

interface LoadBannerProps {
  readonly name: string;
  readonly state: ModelState;
  readonly onStart: () => void;
  /** Cancels the loading. With `again`, it continues over a new connection. */
  readonly onStop: (again: boolean) => void;
}

/** Shown above the question box: the progress of the model, or why it could not start. Renders nothing once it is ready. */
export function LoadBanner({ name, state, onStart, onStop }: LoadBannerProps): JSX.Element | null {
  const t = useTexts();
  if (state.phase === "ready") return null;
  if (state.phase === "failed") {
    return (
      <div class="banner banner-failed" role="alert" data-testid="model-failure" data-code={state.failure.code}>
        <WarnIcon />
        <div>
          {state.ended === undefined ? <FailureWords {...state.failure} /> : <p>{describeFailure(t, name, state)}</p>}
        </div>
        <button type="button" class="button" onClick={onStart}>
          {t.startAgain}
        </button>
      </div>
    );
  }
  const { loaded, total, part, silences = 0 } = state.progress;
  // The creation of sessions reports no bytes, so the bar is indeterminate.
  const share = part === undefined && total > 0 ? { value: loaded, max: total } : {};
  return (
    <div class="banner banner-loading" data-testid="load-progress">
      <p class="banner-text">
        <span>{t.loadingModel(name)}</span>
        <span class="banner-figure">{describeLoad(t, state)}</span>
      </p>
      <progress aria-label={t.loadingModel(name)} {...share} />
      {silences > 0 && (
        <div class="banner-silent" data-testid="load-silent">
          {silences >= silencesToTell && <p role="status">{t.weights.silent}</p>}
          <button type="button" class="button" onClick={() => onStop(true)}>
            {t.weights.askAgain}
          </button>
          <button type="button" class="button" onClick={() => onStop(false)}>
            {t.turnTools.cancel}
          </button>
        </div>
      )}
    </div>
  );
}
