// The dialogs, of which one is open at a time. Each is downloaded when it is first opened.
import type { Signal } from "@preact/signals";
import type { JSX } from "preact";
import { isBusy, turnsInMemory } from "#chat/conversation/conversation.ts";
import { defaultSettings } from "#chat/settings.ts";
import type { Draft } from "#ui/composer/use-draft.ts";
import type { Viewing } from "#ui/pictures/Viewer.tsx";
import { AboutDialog } from "#ui/dialogs/AboutDialog.tsx";
import { lazy } from "#ui/parts/lazy.tsx";
import type { Language } from "#ui/texts/language.ts";
import type { AppFeatures } from "./features.ts";
import type { OpenDialog } from "./open-dialog.ts";

const CompareDialog = lazy(async () => (await import("#ui/dialogs/CompareDialog.tsx")).CompareDialog);
const ModelsDialog = lazy(async () => (await import("#ui/models/ModelsDialog.tsx")).ModelsDialog);
const ServerDialog = lazy(async () => (await import("#ui/models/servers/ServerDialog.tsx")).ServerDialog);
const ExportDialog = lazy(async () => (await import("#ui/dialogs/ExportDialog.tsx")).ExportDialog);
const SettingsDialog = lazy(async () => (await import("#ui/dialogs/SettingsDialog.tsx")).SettingsDialog);
const ShortcutsDialog = lazy(async () => (await import("#ui/dialogs/ShortcutsDialog.tsx")).ShortcutsDialog);

interface DialogsProps extends Omit<AppFeatures, "examples" | "launch" | "pictures" | "teach" | "view"> {
  readonly dialog: Signal<OpenDialog>;
  readonly draft: Draft;
  readonly viewing: Signal<Viewing | undefined>;
  readonly language: Language;
}

export function Dialogs(props: DialogsProps): JSX.Element | null {
  const { chat, models, servers, dialog, draft } = props;
  const { conversation, settings } = chat.state.value;
  const opened = dialog.value;
  const open = (next: OpenDialog): void => {
    dialog.value = next;
  };
  const close = (): void => open({ name: "none" });
  switch (opened.name) {
    case "none":
      return null;
    case "settings":
      return <Settings {...props} open={open} close={close} />;
    case "transfer":
      return (
        <ExportDialog
          transfer={props.transfer}
          hasThis={conversation.turns.length > 0}
          busy={isBusy(conversation)}
          files={opened.files}
          onClose={close}
        />
      );
    case "shortcuts":
      return <ShortcutsDialog onClose={close} />;
    case "compare":
      return (
        <CompareDialog
          compare={props.compare}
          choices={models.state.value.choices}
          selectedId={models.state.value.selected.id}
          turns={turnsInMemory(conversation)}
          draft={draft}
          settings={settings}
          onView={(pictures, startId) => {
            props.viewing.value = { pictures, startId, replace: undefined };
          }}
          onAdopt={({ choice, turn }, question) => {
            chat.actions.adopt(turn, question);
            if (question !== undefined) draft.clear();
            models.select(choice.id);
          }}
          onClose={close}
        />
      );
    case "models":
      return (
        <ModelsDialog
          {...props}
          dropped={opened.dropped}
          onConnect={() => open({ name: "server" })}
          onUse={(id) => {
            models.select(id);
            close();
          }}
          onClose={close}
        />
      );
    case "server":
      return (
        <ServerDialog
          connect={servers.actions.connect}
          onConnected={(id) => {
            const first = servers.state.value.find((server) => server.id === id)?.models[0];
            if (first !== undefined) models.select(first.id);
            close();
          }}
          onClose={close}
        />
      );
    case "about":
      return <AboutDialog model={models.builtIn} modelCardUrl={models.cardUrl} onClose={close} />;
  }
}

interface SettingsProps extends DialogsProps {
  readonly open: (dialog: OpenDialog) => void;
  readonly close: () => void;
}

function Settings({
  chat,
  models,
  preferences,
  installation,
  draft,
  language,
  open,
  close,
}: SettingsProps): JSX.Element {
  const { settings } = chat.state.value;
  const chosen = preferences.state.value;
  return (
    <SettingsDialog
      theme={chosen.theme}
      language={language}
      settings={settings}
      defaults={defaultSettings(models.builtIn)}
      onTheme={(theme) => preferences.change({ ...chosen, theme })}
      prepare={chosen.prepare !== false}
      onPrepare={(prepare) => preferences.change({ ...chosen, prepare })}
      onLanguage={(next) => preferences.change({ ...chosen, language: next })}
      onSettings={(next) => {
        chat.actions.changeSettings(next);
        preferences.change({ ...chosen, settings: next });
      }}
      onSuggestion={(question) => {
        if (draft.text.trim() === "") draft.setText(question);
      }}
      onInstall={installation.install.value}
      onExport={() => open({ name: "transfer", files: [] })}
      onAbout={() => open({ name: "about" })}
      onClose={close}
    />
  );
}
