// The dialogs, of which one is open at a time.
import type { Signal } from "@preact/signals";
import type { JSX } from "preact";
import { isBusy, turnsInMemory } from "#chat/conversation/conversation.ts";
import { defaultSettings } from "#chat/settings.ts";
import { AboutDialog } from "#ui/dialogs/AboutDialog.tsx";
import type { AppProps } from "#ui/parts/app-props.ts";
import { lazy } from "#ui/parts/lazy.tsx";
import type { Language } from "#ui/texts/texts.ts";
import type { Draft } from "#ui/composer/use-draft.ts";
import type { Viewing } from "#ui/conversation/Viewer.tsx";

const CompareDialog = lazy(async () => (await import("#ui/dialogs/CompareDialog.tsx")).CompareDialog);
const ModelsDialog = lazy(async () => (await import("#ui/models/ModelsDialog.tsx")).ModelsDialog);
const ServerDialog = lazy(async () => (await import("#ui/models/ServerDialog.tsx")).ServerDialog);
const ExportDialog = lazy(async () => (await import("#ui/dialogs/ExportDialog.tsx")).ExportDialog);
const SettingsDialog = lazy(async () => (await import("#ui/dialogs/SettingsDialog.tsx")).SettingsDialog);
const ShortcutsDialog = lazy(async () => (await import("#ui/dialogs/ShortcutsDialog.tsx")).ShortcutsDialog);

export type DialogName = "none" | "settings" | "about" | "shortcuts" | "server" | "storage" | "compare" | "export";

interface DialogsProps {
  readonly app: AppProps;
  readonly open: Signal<DialogName>;
  /** Files to be imported; what an export that is opened by itself finds empty. */
  readonly importing: Signal<readonly File[]>;
  /** A package that was dropped on the page. */
  readonly dropped: Signal<Blob | ReadonlyMap<string, Blob> | undefined>;
  readonly draft: Draft;
  readonly viewing: Signal<Viewing | undefined>;
  readonly language: Language;
}

export function Dialogs({ app, open, importing, dropped, draft, viewing, language }: DialogsProps): JSX.Element {
  const { chat, model } = app;
  const { conversation, settings } = app.state.value;
  const { selected } = app.models.value;
  const preferences = app.preferences.value;
  const close = (): void => {
    open.value = "none";
  };
  return (
    <>
      {open.value === "settings" && (
        <SettingsDialog
          theme={preferences.theme}
          language={language}
          settings={settings}
          defaults={defaultSettings(model)}
          onTheme={(theme) => app.onPreferences({ ...preferences, theme })}
          prepare={preferences.prepare !== false}
          onPrepare={(prepare) => app.onPreferences({ ...preferences, prepare })}
          onLanguage={(chosen) => app.onPreferences({ ...preferences, language: chosen })}
          onSettings={(next) => {
            chat.changeSettings(next);
            app.onPreferences({ ...preferences, settings: next });
          }}
          onSuggestion={(question) => {
            if (draft.text.trim() === "") draft.setText(question);
          }}
          onInstall={app.install.value}
          onExport={() => {
            importing.value = [];
            open.value = "export";
          }}
          onAbout={() => {
            open.value = "about";
          }}
          onClose={close}
        />
      )}
      {open.value === "export" && (
        <ExportDialog
          transfer={app.transfer}
          hasThis={conversation.turns.length > 0}
          busy={isBusy(conversation)}
          files={importing.value}
          onClose={close}
        />
      )}
      {open.value === "shortcuts" && <ShortcutsDialog onClose={close} />}
      {open.value === "compare" && (
        <CompareDialog
          comparison={app.comparison}
          choices={app.models.value.choices}
          selectedId={selected.id}
          turns={turnsInMemory(conversation)}
          draft={draft}
          settings={settings}
          onVote={app.onVote}
          onView={(pictures, startId) => {
            viewing.value = { pictures, startId, replace: undefined };
          }}
          onAdopt={({ choice, turn }, question) => {
            chat.adopt(turn, question);
            if (question !== undefined) draft.clear();
            app.onModel(choice.id);
          }}
          onClose={close}
        />
      )}
      {open.value === "storage" && (
        <ModelsDialog
          precision={app.photos.value?.precision}
          hubHost={app.hubHost}
          servers={app.servers.value}
          serverActions={app.serverActions}
          onConnect={() => {
            dropped.value = undefined;
            open.value = "server";
          }}
          loadedIds={new Set(app.loadedModels.value)}
          state={app.storage.value}
          actions={app.storageActions}
          downloads={app.downloads.value}
          downloadActions={app.downloadActions}
          dropped={dropped.value}
          metered={app.metered}
          saveFile={app.saveFile}
          selectedId={selected.id}
          onUse={(id) => {
            app.onModel(id);
            dropped.value = undefined;
            close();
          }}
          onClose={() => {
            dropped.value = undefined;
            close();
          }}
        />
      )}
      {open.value === "server" && (
        <ServerDialog
          connect={app.serverActions.connect}
          onConnected={(id) => {
            const first = app.servers.value.find((server) => server.id === id)?.models[0];
            if (first !== undefined) app.onModel(first.id);
            close();
          }}
          onClose={close}
        />
      )}
      {open.value === "about" && <AboutDialog model={model} modelCardUrl={app.modelCardUrl} onClose={close} />}
    </>
  );
}
